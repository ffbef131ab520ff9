"""Generated requests that must be refused, for /generate and for /upscale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.errors import OverBudget
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import generated_requests, requests
from local_dream_conformance.scenarios.generated_requests import Way
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.series import REFUSAL, labelled
from local_dream_conformance.scenarios.upscales import path_on_target


def _generated(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them all; one that accepts a few is soon left alone."""
    settings = target.settings
    path = path_on_target(settings)
    bodies = generated_requests.bodies(requests.plain(settings), requests.generate)
    yield from _explored(target, "generate", bodies, generated_requests.EACH)
    sizes = generated_requests.upscales(lambda width, height, body: requests.upscale(width, height, path, body))
    yield from _explored(target, "upscale", sizes, generated_requests.EACH_SIZE)
    yield target.send("generated/health", requests.HEALTH)


def _explored(target: Target, operation: str, ways: Sequence[Way], each: int) -> Iterator[Exchange]:
    """The smallest request that was not refused carries the label `shrunk`, the others are numbered."""

    if target.has_stalled(ways[0].draw(Random(0))):
        return
    sent: list[Exchange] = []

    def send(number: int, request: Request) -> Exchange:
        sent.append(target.send(f"generated/{operation}/{number:03}", request, REFUSAL))
        return sent[-1]

    try:
        exchanges, smallest = generated_requests.explore(ways, each, send, target.settings.seed)
    except OverBudget:
        exchanges, smallest = sent, None
    for exchange in exchanges:
        yield (
            labelled(exchange, f"generated/{operation}/{generated_requests.SHRUNK}")
            if exchange is smallest
            else exchange
        )


SCENARIOS = (Scenario("generated", Cost(), _generated),)
