"""Generated requests that must be refused, for /generate and for /upscale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    bodies = [way.map(payload.generate) for way in generated.bodies(payload.plain(settings))]
    yield from _explored(target, "generate", bodies, generated.EACH)
    sizes = generated.upscales(lambda width, height, body: payload.upscale(width, height, path, body))
    yield from _explored(target, "upscale", sizes, generated.EACH_SIZE)
    yield target.send("generated/health", payload.HEALTH)


def _explored(
    target: Target, operation: str, ways: Sequence[st.SearchStrategy[Request]], each: int
) -> Iterator[Exchange]:
    """The smallest request that was not refused carries the label `shrunk`, the others are numbered."""

    def send(number: int, request: Request) -> Exchange:
        return target.send(f"generated/{operation}/{number:03}", request, until=first_event())

    exchanges, smallest = generated.explore(ways, each, send, target.settings.seed)
    for exchange in exchanges:
        yield labelled(exchange, f"generated/{operation}/{generated.SHRUNK}") if exchange is smallest else exchange


PROBES = (Probe("generated", Cost(), _generated),)
