"""Generated requests that must be refused, for /generate and for /upscale."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from conformance import generated
from conformance.probe import Cost, Probe
from conformance.probes import payload
from conformance.probes.series import labelled
from conformance.probes.upscales import path_on_target
from conformance.target import Target, first_event
from conformance.transcript import Exchange, Request


def _generated(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them all; one that accepts a few is soon left alone."""
    settings = target.settings
    path = path_on_target(settings)
    yield from _explored(target, "generate", generated.bodies(payload.plain(settings)).map(payload.generate))
    yield from _explored(target, "upscale", generated.upscales(lambda w, h, body: payload.upscale(w, h, path, body)))
    yield target.send("generated/health", payload.HEALTH)


def _explored(target: Target, operation: str, requests: st.SearchStrategy[Request]) -> list[Exchange]:
    def send(number: int, request: Request) -> Exchange:
        return target.send(f"generated/{operation}/{number:03}", request, until=first_event())

    exchanges, smallest = generated.explore(requests, send, target.settings.seed)
    shrunk = f"generated/{operation}/{generated.SHRUNK}"
    return [labelled(exchange, shrunk) if exchange is smallest else exchange for exchange in exchanges]


PROBES = (Probe("generated", Cost(), _generated),)
