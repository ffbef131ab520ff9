"""Faults of the order of a stream's events, of their end, and of when they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.changes import EVENTS, Inserted
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger, Unit
from local_dream_mockserver.server.engine import GenerationRequest

EVENT = Layer.EVENT


class Twice(Inserted):
    """Sends the event at the place twice."""

    def inserted(self, message: Message, request: GenerationRequest) -> Iterator[Message]:
        yield message


class Further(Inserted):
    """Sends one more event at the place."""

    def __init__(self, place: Trigger | None, name: str, payload: dict[str, Any]) -> None:
        super().__init__(place)
        self.message = Message(name, name, {"type": name, **payload})

    def inserted(self, message: Message, request: GenerationRequest) -> Iterator[Message]:
        total = message.payload.get("total_steps", request.steps)
        yield self.message.with_(step=total, total_steps=total) if self.message.kind == "progress" else self.message


fault(
    "terminal-twice",
    "The terminal event comes twice.",
    layer=EVENT,
    breaks=("GEN-EVT-12",),
    units=(Unit.COMPLETE, Unit.ERROR),
    place="complete",
)(Twice)
fault(
    "error-and-on",
    "An error event comes in mid-stream, and the work goes on to complete.",
    layer=EVENT,
    breaks=("GEN-EVT-12",),
    units=EVENTS,
    place="after:progress:2",
)(partial(Further, name="error", payload={"message": "a tile could not be decoded; trying again"}))


@fault(
    "engine-fails",
    "Every generation fails after a step, with an error event.",
    layer=EVENT,
    breaks=("GEN-EVT-15",),
    units=EVENTS,
    place="after:progress:2",
)
class EngineFails(Inserted):
    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in super().messages(messages, request):
            if message.kind == "error":
                yield message
                return
            if message.kind != "complete":
                yield message
        self.happened()
        yield self.failure

    failure = Message("error", "error", {"type": "error", "message": "the engine ran out of memory"})

    def inserted(self, message: Message, request: GenerationRequest) -> Iterator[Message]:
        yield self.failure


@fault(
    "stream-left-open",
    "The answer does not end after the terminal event.",
    layer=EVENT,
    breaks=("GEN-EVT-14",),
)
class LeftOpen(FaultHooks):
    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece
        self.happened()
        await asyncio.Event().wait()


@fault(
    "events-buffered",
    "Events are sent when four kilobytes of them have come together.",
    layer=EVENT,
    breaks=("GEN-EVT-07",),
)
class Buffered(FaultHooks):
    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        held = b""
        async for piece in pieces:
            held += piece
            if len(held) >= 4096:
                self.happened()
                yield held
                held = b""
        yield held
