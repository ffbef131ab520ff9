"""Faults of what is in complete events, apart from the picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.changes import Each
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest

EVENT = Layer.EVENT


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
