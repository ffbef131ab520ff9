"""Faults of generations that overlap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError

REQUEST = Layer.REQUEST


class Overlaps(FaultHooks):
    """Knows which generations run."""

    def __init__(self, place: Trigger | None = None) -> None:
        super().__init__(place)
        self.running: list[GenerationRequest] = []

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        self.running.append(request)
        try:
            async for message in messages:
                yield message
        finally:
            self.running = [other for other in self.running if other is not request]


class Latest(FaultHooks):
    """Knows which request came last."""

    def __init__(self, place: Trigger | None = None) -> None:
        super().__init__(place)
        self.latest: GenerationRequest | None = None

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        self.latest = honest(body)
        return self.latest


@fault(
    "overlap-stops-the-first",
    "A generation that runs when another is asked for ends with an error event.",
    layer=REQUEST,
    breaks=("ROB-01",),
)
class StopsTheFirst(Latest):
    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            if self.latest is not request:
                self.happened()
                yield Message("error", "error", {"type": "error", "message": "another request came"})
                return
            yield message


@fault(
    "overlap-mixes-pictures",
    "A generation that runs when another is asked for ends with the other's picture: both have one state.",
    layer=REQUEST,
    breaks=("ROB-01",),
)
class MixesPictures(Latest):
    def __init__(self, place: Trigger | None = None) -> None:
        super().__init__(place)
        self.pictures: dict[int, Message] = {}

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            if message.kind == "complete":
                self.pictures[id(request)] = message
                other = self.latest
                if other is not request and other is not None:
                    while id(other) not in self.pictures:
                        await asyncio.sleep(0.01)
                    self.happened()
                    message = message.with_(image=self.pictures[id(other)].payload["image"])
            yield message


class Busy(Overlaps):
    """Refuses a second generation while one runs in a wrong way."""

    def __init__(self, place: Trigger | None, answer: APIError) -> None:
        super().__init__(place)
        self.answer = answer

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if not self.running:
            return request
        self.happened()
        raise self.answer


class Bare(APIError):
    """An error answer without a body."""

    def body(self) -> bytes:
        return b""


fault(
    "overlap-refused-with-500",
    "A second generation while one runs is answered with status 500.",
    layer=REQUEST,
    breaks=("ROB-02",),
)(partial(Busy, answer=APIError(500, "the engine is in use")))
fault(
    "overlap-refused-bare",
    "A second generation while one runs is answered with status 503 and no envelope.",
    layer=REQUEST,
    breaks=("ROB-02",),
)(partial(Busy, answer=Bare(503, "", {"Retry-After": "1"})))
