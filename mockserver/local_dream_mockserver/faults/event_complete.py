"""Faults of what is in complete events, apart from the picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.changes import Each, EachComplete
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest

EVENT = Layer.EVENT


def _complete(name: str, sentence: str, breaks: tuple[str, ...], change: Callable[[Message], Message]) -> None:
    """Registers a fault that changes complete events."""
    fault(name, sentence, layer=EVENT, breaks=breaks)(
        partial(EachComplete, change=lambda message, request: change(message))
    )


_complete(
    "complete-without-seed",
    "The complete event has no seed.",
    ("GEN-EVT-15",),
    lambda m: m.without("seed"),
)
_complete(
    "complete-without-size",
    "The complete event has no width and height.",
    ("GEN-EVT-15",),
    lambda m: m.without("width", "height"),
)
_complete("complete-without-image", "The complete event has no image.", ("GEN-EVT-15",), lambda m: m.without("image"))
_complete(
    "seed-is-text",
    "The seed in complete is a text.",
    ("GEN-EVT-15",),
    lambda m: m.with_(seed=str(m.payload["seed"])),
)
_complete("channels-missing", "The complete event has no channels.", ("GEN-EVT-16",), lambda m: m.without("channels"))
_complete(
    "first-step-time-missing",
    "The complete event has no first_step_time_ms.",
    ("GEN-EVT-16",),
    lambda m: m.without("first_step_time_ms"),
)
_complete(
    "time-in-microseconds",
    "The generation_time_ms is in microseconds.",
    ("GEN-EVT-17",),
    lambda m: m.with_(generation_time_ms=m.payload["generation_time_ms"] * 1000 + 50_000),
)
_complete(
    "time-negative", "The generation_time_ms is negative.", ("GEN-EVT-17",), lambda m: m.with_(generation_time_ms=-1)
)
_complete(
    "seed-off-by-one",
    "The complete event reports the seed of the next picture.",
    ("GEN-EVT-19", "GEN-REQ-22"),
    lambda m: m.with_(seed=(m.payload["seed"] + 1) % 2**32),
)
_complete(
    "seed-signed",
    "The complete event reports the seed as a signed number of 32 bits.",
    ("GEN-EVT-19", "GEN-REQ-22"),
    lambda m: m.with_(seed=m.payload["seed"] - 2**32) if m.payload["seed"] >= 2**31 else m,
)


class PickedSeed(Each):
    """Reports seeds that the server picked in another way; those that were sent stay."""

    def __init__(self, place: Trigger | None, seed: Callable[[int], int]) -> None:
        super().__init__(place)
        self.seed = seed
        self.picked: set[int] = set()

    def read(self, body: bytes, honest: Callable[[bytes], GenerationRequest]) -> GenerationRequest:
        request = honest(body)
        if b'"seed"' not in body:
            self.picked.add(request.seed)
        return request

    def changed(self, message: Message, request: GenerationRequest) -> Message:
        if message.kind != "complete" or request.seed not in self.picked:
            return message
        return message.with_(seed=self.seed(request.seed))


fault(
    "picked-seed-negative",
    "A seed that the server picks is reported as -1.",
    layer=EVENT,
    breaks=("GEN-DEF-11",),
)(partial(PickedSeed, seed=lambda seed: -1))
fault(
    "picked-seed-of-64-bits",
    "A seed that the server picks has 64 bits.",
    layer=EVENT,
    breaks=("GEN-DEF-11",),
)(partial(PickedSeed, seed=lambda seed: seed + 2**40))
