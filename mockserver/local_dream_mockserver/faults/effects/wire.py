"""Faults of the wire as functions: done by the proxy, to the answers of any server.

`on` are the paths whose answers are meant, `statuses` the statuses (none: all), `then` what becomes of the connection
afterwards, `at` the place where it happens unless another one is asked for. A hit is counted where what is sent differs
from what came.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias, Unpack

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Decorator, Function, Options, T, changed, compared, declare
from local_dream_mockserver.proxy.mutator import (
    LAST_CHUNK,
    Answer,
    Head,
    Out,
    ResponseMutator,
    bounded,
    chunk,
    forward,
    gathered,
)
from local_dream_mockserver.proxy.split import events as events_of
from local_dream_mockserver.proxy.split import kind_of, split_at
from local_dream_mockserver.proxy.trigger import Trigger, Unit

GENERATE = ("/generate",)
UPSCALE = ("/upscale",)
PICTURES = (*GENERATE, *UPSCALE)
EVERYWHERE = (*PICTURES, "/health")
ANYWHERE = (Unit.BYTES, Unit.EVENT, Unit.PROGRESS, Unit.COMPLETE, Unit.ERROR)
OK = (200,)
Then: TypeAlias = Literal["keep", "close", "reset", "gone"]
"""Keep the connection for the next request, close it, reset it, or say nothing more until the client has gone."""
Pieces: TypeAlias = AsyncIterator[bytes]
Send: TypeAlias = Callable[[Function, ResponseMutator, Answer, Out], Awaitable[None]]


class Answers(Options, total=False):
    """Which answers are meant: of the paths `on`, of these `statuses` (none: all)."""

    on: tuple[str, ...]
    statuses: tuple[int, ...]


def _split(mutator: ResponseMutator, answer: Answer) -> AsyncIterator[tuple[bytes, bool]]:
    """The body in pieces; with the one before which the place lies comes True. Without a place with none."""
    if mutator.place is None:
        return ((piece, False) async for piece in answer.body)
    return split_at(mutator.place, answer.body, answer.head.is_stream)


async def _end(out: Out, then: Then) -> None:
    """Ends the connection as `then` says."""
    if then != "keep":
        await {"close": out.close, "reset": out.reset, "gone": out.gone}[then]()


def sent(*ids: str, **options: Unpack[Answers]) -> Decorator:
    """`async (out, answer) -> None`: sends the answer itself, or does something in its place. Each answer is a hit."""

    async def send(function: Function, self: ResponseMutator, answer: Answer, out: Out) -> None:
        self.happened()
        await function(out, answer)

    return _sending(send, ids, options)


def answer(*ids: str, then: Then = "keep", **options: Unpack[Answers]) -> Decorator:
    """`(head, body) -> bytes`, or several packets: what is sent for an answer, once all of it is there.

    `head` has no framing yet: `head.length(n)` and `head.chunked()` are its bytes with one.
    """

    async def send(function: Function, self: ResponseMutator, answer: Answer, out: Out) -> None:
        pieces = [piece async for piece in bounded(answer.body)]
        body = b"".join(pieces)
        if answer.head.is_stream:
            honest = answer.head.chunked() + b"".join(map(chunk, pieces)) + LAST_CHUNK
        else:
            honest = answer.head.length(len(body)) + body
        packets = _packets(function(answer.head.bare, body))
        if b"".join(packets) != honest or then != "keep":
            self.happened()
        for packet in packets:
            await out.write(packet)
        await _end(out, then)

    return _sending(send, ids, options)


def chunks(*ids: str, last: bytes = LAST_CHUNK, then: Then = "keep", **options: Unpack[Answers]) -> Decorator:
    """`(data) -> bytes`: what is sent as the chunk after the place or, without one, as each chunk of a stream.

    `last` is sent in place of the last chunk.
    """

    async def send(function: Function, self: ResponseMutator, answer: Answer, out: Out) -> None:
        await out.write(answer.head.chunked())
        async for piece, here in _split(self, answer):
            honest = chunk(piece) if piece else b""
            await out.write(
                changed(self, honest, function(piece) if here or (piece and self.place is None) else honest)
            )
            if here and then != "keep":
                await _end(out, then)
                return
        if last != LAST_CHUNK:
            self.happened()
        await out.write(last)
        if self.place is None:
            await _end(out, then)

    return _sending(send, ids, options, GENERATE)


def cut(*ids: str, **options: Unpack[Answers]) -> Decorator:
    """`async (out) -> None`: what happens at the place. The answer is sent in order until there, and no further."""

    async def send(function: Function, self: ResponseMutator, answer: Answer, out: Out) -> None:
        streams = answer.head.is_stream
        pieces = _split(self, answer if streams else replace(answer, body=bounded(answer.body)))
        if streams:
            await out.write(answer.head.chunked())
        else:
            parts = [part async for part in pieces]
            await out.write(answer.head.length(sum(len(piece) for piece, _ in parts)))
            pieces = _each(parts)
        async for piece, here in pieces:
            if here:
                self.happened()
                await function(out)
                return
            if piece:
                await out.write(chunk(piece) if streams else piece)
        if streams:
            await out.write(LAST_CHUNK)

    return _sending(send, ids, options)


def head(*ids: str, then: Then = "keep", **options: Unpack[Answers]) -> Decorator:
    """`(head) -> head`: another head, without framing, before the same body."""

    async def send(function: Function, self: ResponseMutator, answer: Answer, out: Out) -> None:
        made: Head = function(answer.head.bare)
        if made != answer.head.bare or then != "keep":
            self.happened()
        await forward(made, answer.body, out, streams=answer.head.is_stream)
        await _end(out, then)

    return _sending(send, ids, options)


def stream(*ids: str, **options: Unpack[Answers]) -> Decorator:
    """`async (events) -> events`: an async generator over the events of a stream. Each of its pieces is a packet.

    The events come whole, with the blank line that ends them.
    """

    def other(function: Function, self: ResponseMutator, answer: Answer) -> Pieces:
        return compared(function, events_of(answer.body), self.happened)

    return _sending(_forwarding(other), ids, options, GENERATE)


def event(*ids: str, kinds: tuple[str, ...] = (), **options: Unpack[Answers]) -> Decorator:
    """`(event) -> bytes`, or a list of packets: what is sent for each event of these kinds (none: of all)."""

    async def other(function: Function, self: ResponseMutator, answer: Answer) -> Pieces:
        async for one in events_of(answer.body):
            packets = _packets(function(one)) if not kinds or kind_of(one) in kinds else [one]
            for packet in changed(self, [one], packets):
                yield packet

    return _sending(_forwarding(other), ids, options, GENERATE)


def splice(*ids: str, ends: bool = False, **options: Unpack[Answers]) -> Decorator:
    """`(rest) -> bytes`: other bytes for the piece after the place. With `ends` the answer is framed to end there."""

    async def other(function: Function, self: ResponseMutator, answer: Answer) -> Pieces:
        async for piece, here in _split(self, answer):
            made = function(piece) if here else piece
            if made != piece or (here and ends):
                self.happened()
            yield made
            if here and ends:
                return

    return _sending(_forwarding(other), ids, options, GENERATE)


def body(*ids: str, **options: Unpack[Answers]) -> Decorator:
    """`(body) -> bytes`: another body, framed in order. For answers that are no streams."""

    async def other(function: Function, self: ResponseMutator, answer: Answer) -> Pieces:
        whole = await gathered(answer.body)
        yield changed(self, whole, function(whole))

    return _sending(_forwarding(other), ids, options)


async def honest(answer: Answer, out: Out) -> None:
    """Sends the answer in order."""
    await forward(answer.head, answer.body, out, streams=answer.head.is_stream)


def _forwarding(other: Callable[[Function, ResponseMutator, Answer], Pieces]) -> Send:
    """Sends, framed in order, the head and what `other` makes of the body."""

    async def send(function: Function, self: ResponseMutator, answer: Answer, out: Out) -> None:
        await honest(replace(answer, body=other(function, self, answer)), out)

    return send


def _sending(send: Send, ids: tuple[str, ...], options: Answers, on: tuple[str, ...] = PICTURES) -> Decorator:
    """The decorator of functions that `send` calls: it gets the function, the object, the answer, the connection."""

    def make(place: Trigger | None, function: Function) -> ResponseMutator:
        made = ResponseMutator(place)
        made.paths, made.statuses = options.get("on", on), options.get("statuses", OK)
        setattr(made, "send", partial(send, function, made))  # noqa: B010  (a method of this one object)
        return made

    options = {"units": ANYWHERE if options.get("at") else (), **options}
    return lambda function: declare(function, ids, options, make, Layer.WIRE)


def _packets(made: bytes | list[bytes]) -> list[bytes]:
    return [made] if isinstance(made, bytes) else made


async def _each(values: list[T]) -> AsyncIterator[T]:
    for value in values:
        yield value
