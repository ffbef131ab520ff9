"""Faults of the events of a stream: which come, in which order and when, and what is in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from mockserver.engine import GenerationRequest
from mockserver.faults.alteration import Alteration
from mockserver.faults.catalogue import Layer, fault
from mockserver.faults.changes import EVENTS, PROGRESS, Change, Each, EachComplete, EachProgress, Inserted
from mockserver.faults.message import Message
from mockserver.faults.place import Place, Unit
from mockserver.faults.robustness import IMPATIENT

EVENT = Layer.EVENT


def _progress(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    change: Change,
    consequences: tuple[str, ...] = (),
    place: str = "",
) -> None:
    """Registers a fault that changes progress events."""
    fault(name, sentence, layer=EVENT, breaks=breaks, consequences=consequences, units=PROGRESS, place=place)(
        partial(EachProgress, change=change)
    )


def _complete(
    name: str, sentence: str, breaks: tuple[str, ...], change: Callable[[Message], Message], *consequences: str
) -> None:
    """Registers a fault that changes complete events."""
    fault(name, sentence, layer=EVENT, breaks=breaks, consequences=consequences)(
        partial(EachComplete, change=lambda message, request: change(message))
    )


def _is_last(message: Message) -> bool:
    return bool(message.payload["step"] == message.payload["total_steps"])


_progress(
    "step-missing",
    "A progress event has no `step`.",
    ("GEN-EVT-02",),
    lambda m, r: m.without("step"),
    place="progress:2",
)
_progress(
    "step-is-text",
    "The `step` is a text of digits.",
    ("GEN-EVT-02",),
    lambda m, r: m.with_(step=str(m.payload["step"])),
)
_progress(
    "steps-from-zero",
    "Steps are counted from 0.",
    ("GEN-EVT-03", "GEN-EVT-05"),
    lambda m, r: m.with_(step=m.payload["step"] - 1),
)
_progress(
    "step-beyond-total",
    "A step is beyond total_steps.",
    ("GEN-EVT-03",),
    lambda m, r: m.with_(step=m.payload["total_steps"] + 1),
    ("GEN-EVT-04", "GEN-EVT-05"),
    place="progress:2",
)
_progress(
    "step-goes-back",
    "A step is behind the one before.",
    ("GEN-EVT-04",),
    lambda m, r: m.with_(step=1),
    ("GEN-EVT-05",),
    place="progress:3",
)
_progress(
    "steps-count-down",
    "Steps count down to 1.",
    ("GEN-EVT-04", "GEN-EVT-05"),
    lambda m, r: m.with_(step=m.payload["total_steps"] - m.payload["step"] + 1),
)
_progress(
    "total-steps-changes",
    "The total_steps grows in the middle of a stream.",
    ("GEN-EVT-06",),
    lambda m, r: (
        m if m.payload["step"] <= 2 else m.with_(step=m.payload["step"] + 5, total_steps=m.payload["total_steps"] + 5)
    ),
)
_progress(
    "last-step-short-of-total",
    "The total_steps is one more than there are steps.",
    ("GEN-EVT-05",),
    lambda m, r: m.with_(total_steps=m.payload["total_steps"] + 1),
)


class Left(Alteration):
    """Leaves events out."""

    def __init__(self, place: Place | None, out: Callable[[Message], bool]) -> None:
        super().__init__(place)
        self.out = out

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            if self.out(message):
                self.happened()
            else:
                yield message


def _left_out(
    name: str, sentence: str, breaks: tuple[str, ...], out: Callable[[Message], bool], *consequences: str
) -> None:
    fault(name, sentence, layer=EVENT, breaks=breaks, consequences=consequences)(partial(Left, out=out))


_left_out(
    "progress-missing",
    "There are no progress events.",
    ("GEN-EVT-01",),
    lambda m: m.kind == "progress",
    "GEN-EVT-10",
)
_left_out(
    "last-step-missing",
    "The progress event of the last step is missing.",
    ("GEN-EVT-05",),
    lambda m: m.kind == "progress" and _is_last(m) and m.payload["total_steps"] > 1,
    "GEN-EVT-11",
)
_left_out(
    "terminal-missing",
    "The stream ends without complete.",
    ("GEN-EVT-12",),
    lambda m: m.kind == "complete",
    "GEN-REQ-06",
)
_progress(
    "progress-by-another-name",
    "Progress events are named `status`.",
    ("GEN-EVT-01", "GEN-SSE-12"),
    lambda m, r: replace(m, name="status", payload={**m.payload, "type": "status"}),
    ("GEN-EVT-10",),
)


class Twice(Inserted):
    """Sends the event at the place twice."""

    def inserted(self, message: Message, request: GenerationRequest) -> Iterator[Message]:
        yield message


class Further(Inserted):
    """Sends one more event at the place."""

    def __init__(self, place: Place | None, name: str, payload: dict[str, Any]) -> None:
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
    "error-beside-complete",
    "An error event comes after complete, too.",
    layer=EVENT,
    breaks=("GEN-EVT-12",),
    units=EVENTS,
    place="after:complete",
)(partial(Further, name="error", payload={"message": "the connection was closed"}))
fault(
    "error-and-on",
    "An error event comes in mid-stream, and the work goes on to complete.",
    layer=EVENT,
    breaks=("GEN-EVT-12",),
    consequences=("GEN-REQ-06",),
    units=EVENTS,
    place="after:progress:2",
)(partial(Further, name="error", payload={"message": "a tile could not be decoded; trying again"}))
fault(
    "progress-after-complete",
    "A progress event comes after complete.",
    layer=EVENT,
    breaks=("GEN-EVT-13",),
    units=EVENTS,
    place="after:complete",
)(partial(Further, name="progress", payload={}))


@fault(
    "complete-before-the-last-step",
    "The last progress event comes after complete.",
    layer=EVENT,
    breaks=("GEN-EVT-13",),
    consequences=("GEN-EVT-01", "GEN-EVT-04", "GEN-EVT-05", "GEN-EVT-11"),
)
class CompleteEarly(Alteration):
    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        held: Message | None = None
        async for message in messages:
            if message.kind == "complete" and held is not None:
                self.happened()
                yield message
                yield held
                return
            if held is not None:
                yield held
                held = None
            if message.kind == "progress":
                held = message
            else:
                yield message


@fault(
    "engine-fails",
    "Every generation fails after a step, with an error event.",
    layer=EVENT,
    breaks=("GEN-EVT-15",),
    consequences=("ERR-06", "GEN-REQ-22", "ROB-01", "ROB-02", "ROB-03"),
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
    options=IMPATIENT,
)
class LeftOpen(Alteration):
    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece
        self.happened()
        await asyncio.Event().wait()


@fault(
    "events-held-back",
    "All events come together when the work is done.",
    layer=EVENT,
    breaks=("GEN-EVT-07",),
    consequences=("HLT-03", "ROB-01", "ROB-02", "ROB-04"),
    pace=0.05,
)
class HeldBack(Alteration):
    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        held = [piece async for piece in pieces]
        self.happened()
        yield b"".join(held)


@fault(
    "events-buffered",
    "Events are sent when four kilobytes of them have come together.",
    layer=EVENT,
    breaks=("GEN-EVT-07",),
    consequences=("HLT-03", "ROB-01", "ROB-02", "ROB-04"),
    pace=0.05,
)
class Buffered(Alteration):
    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        held = b""
        async for piece in pieces:
            held += piece
            if len(held) >= 4096:
                self.happened()
                yield held
                held = b""
        yield held


_complete(
    "complete-without-seed",
    "The complete event has no seed.",
    ("GEN-EVT-15",),
    lambda m: m.without("seed"),
    "GEN-REQ-22",
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
    "GEN-REQ-22",
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
    "GEN-DEF-11",
)


class PickedSeed(Each):
    """Reports seeds that the server picked in another way; those that were sent stay."""

    def __init__(self, place: Place | None, seed: Callable[[int], int]) -> None:
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
