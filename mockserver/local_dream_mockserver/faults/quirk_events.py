"""Quirks of event streams: what servers in the field do, and the contract leaves open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from local_dream_mockserver.faults.catalogue import Layer, quirk
from local_dream_mockserver.faults.changes import Each, EachComplete, EachPiece, EachProgress
from local_dream_mockserver.faults.framing import StreamHead, data_of
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import Header, without
from local_dream_mockserver.proxy.split import kind_of
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest

EVENT = Layer.EVENT
Payload = dict[str, Any]


def _messages(name: str, sentence: str, kind: type[Each], change: Callable[[Message], Message], *against: str) -> None:
    quirk(name, sentence, layer=EVENT, discouraged=against)(
        partial(kind, change=lambda message, request: change(message))
    )


def _pieces(name: str, sentence: str, change: Callable[[bytes], bytes]) -> None:
    quirk(name, sentence, layer=EVENT)(partial(EachPiece, change=change))


def _dumped(dumps: Callable[[Payload], str]) -> Callable[[bytes], bytes]:
    """The data written in another way."""

    def changed(piece: bytes) -> bytes:
        data = dumps(json.loads(data_of(piece))).encode()
        return b"event: %s\ndata: %s\n\n" % (kind_of(piece).encode(), data)

    return changed


class StepsCounted(FaultHooks):
    """Counts text encoding before the denoising steps and decoding after them."""

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        first = True
        async for message in messages:
            if message.kind != "progress":
                yield message
                continue
            self.happened()
            total = message.payload["total_steps"]
            if first:
                first = False
                yield message.without("image").with_(step=1, total_steps=total + 2)
            yield message.with_(total_steps=total + 2)
            if message.payload["step"] == total:
                yield message.without("image").with_(step=total + 2, total_steps=total + 2)


quirk(
    "total-steps-plus-two",
    "The total_steps is two more than steps: text encoding and decoding count, and a step number comes twice.",
    layer=EVENT,
)(StepsCounted)


@quirk("steps-repeated", "Every progress event comes a second time, without its preview.", layer=EVENT)
class StepsRepeated(FaultHooks):
    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            yield message
            if message.kind == "progress":
                self.happened()
                yield message.without("image")


@quirk(
    "steps-skipped",
    "Progress events without a preview come for every second step and the last one only.",
    layer=EVENT,
)
class StepsSkipped(FaultHooks):
    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            step = message.payload.get("step", 1)
            if step % 2 or step == message.payload["total_steps"] or "image" in message.payload:
                yield message
            else:
                self.happened()


@quirk("steps-in-percent", "Steps are counted in percent: total_steps is always 100.", layer=EVENT)
class StepsInPercent(EachProgress):
    def changed(self, message: Message, request: GenerationRequest) -> Message:
        share = message.payload["step"] / message.payload["total_steps"]
        return message.with_(step=max(1, int(share * 100)), total_steps=100)


@quirk(
    "total-steps-known-late",
    "The first progress event says more total_steps than those after it.",
    layer=EVENT,
    discouraged=("GEN-EVT-06",),
)
class TotalKnownLate(FaultHooks):
    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        first = True
        async for message in messages:
            if first and message.kind == "progress":
                self.happened()
                yield message.without("image").with_(step=1, total_steps=message.payload["total_steps"] + 3)
            first = False
            yield message


class Commented(FaultHooks):
    """Comment lines before each event, or once before the first."""

    def __init__(self, place: Trigger | None, comment: bytes, once: bool) -> None:
        super().__init__(place)
        self.comment = comment
        self.once = once

    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        due = True
        async for piece in pieces:
            if due:
                self.happened()
                yield self.comment
                due = not self.once
            yield piece


quirk("comments", "Comment lines come between events, as servers send them to keep connections open.", layer=EVENT)(
    partial(Commented, comment=b": keep-alive\n\n", once=False)
)
quirk("padding-first", "The stream begins with a comment of two kilobytes, for browsers that buffer.", layer=EVENT)(
    partial(Commented, comment=b":" + b" " * 2048 + b"\n\n", once=True)
)
quirk("retry-first", "The stream begins with a `retry:` line.", layer=EVENT)(
    partial(Commented, comment=b"retry: 3000\n\n", once=True)
)


@quirk("done-at-the-end", "A `data: [DONE]` follows the terminal event, as OpenAI's streams end.", layer=EVENT)
class DoneAtTheEnd(FaultHooks):
    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece
        self.happened()
        yield b"data: [DONE]\n\n"


_messages(
    "further-keys",
    "Events have keys that the contract does not name, nested ones too.",
    Each,
    lambda m: m.with_(eta_ms=1200, model={"name": "m", "layers": [1, 2, None]}, nsfw=False),
)
_messages(
    "image-key-early",
    "The keys of complete come in another order, and the image first.",
    EachComplete,
    lambda m: Message(m.kind, m.name, {"image": m.payload["image"], **m.payload}),
)
_pieces(
    "keys-sorted",
    "The keys of events are sorted, as nlohmann::json writes them.",
    _dumped(lambda p: json.dumps(p, sort_keys=True, separators=(",", ":"))),
)
_pieces("spaces-in-json", "The JSON of events is written with spaces.", _dumped(lambda p: json.dumps(p)))
_pieces(
    "slashes-escaped",
    "Slashes in the JSON of events are escaped, as PHP writes them.",
    _dumped(lambda p: json.dumps(p, separators=(",", ":")).replace("/", "\\/")),
)
_messages(
    "time-zero",
    "The generation_time_ms and first_step_time_ms are 0.",
    EachComplete,
    lambda m: m.with_(generation_time_ms=0, first_step_time_ms=0),
)
_messages(
    "bare-complete",
    "The complete event has what it must have, and nothing else.",
    EachComplete,
    lambda m: m.without("channels", "first_step_time_ms"),
    "GEN-EVT-16",
)
_pieces(
    "other-languages-unescaped",
    "Events hold text beyond ASCII, as UTF-8.",
    lambda piece: piece.replace(b"data: {", 'data: {"note":"그림 🎨",'.encode(), 1),
)
_pieces(
    "line-separators-in-data",
    "Events hold characters at which some languages break lines (U+2028, U+0085), but event streams do not.",
    lambda piece: piece.replace(b"data: {", 'data: {"note":"a\u2028b\u0085c",'.encode(), 1),
)
_pieces("further-fields", "Events carry `id:` lines behind their data.", lambda piece: piece[:-1] + b"id: 7\n\n")


@quirk("queued-in-silence", "The first event comes after half a second of silence, as from a queue.", layer=EVENT)
class QueuedInSilence(FaultHooks):
    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        self.happened()
        await asyncio.sleep(0.5)
        async for piece in pieces:
            yield piece


def _doubled(status: int, headers: tuple[Header, ...]) -> tuple[int, tuple[Header, ...]]:
    return status, (*headers, (b"content-type", b"text/event-stream"))


quirk(
    "content-type-doubled",
    "Content-Type comes twice on event streams, as cpp-httplib sends it.",
    layer=EVENT,
    discouraged=("GEN-SSE-02",),
)(partial(StreamHead, change=_doubled))
quirk("no-store", "Event streams come with Cache-Control: no-store, no-transform.", layer=EVENT)(
    partial(
        StreamHead,
        change=lambda status, headers: (
            status,
            (*without(headers, b"cache-control"), (b"cache-control", b"no-store, no-transform")),
        ),
    )
)
