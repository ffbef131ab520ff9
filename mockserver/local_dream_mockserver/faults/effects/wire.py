"""Faults of the wire as functions: done by the proxy, to the answers of any server.

`on` are the paths whose answers are meant, `statuses` the statuses (none: all), `then` what becomes of the connection
afterwards, `at` the place where it happens unless another one is asked for. A hit is counted where what is sent differs
from what came.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal, TypeAlias, TypeVar, Unpack

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, declare
from local_dream_mockserver.proxy.mutator import LAST_CHUNK, Answer, Head, Out, ResponseMutator, chunk, forward
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
Packets: TypeAlias = bytes | list[bytes]
Send: TypeAlias = Callable[["Sent", Answer, Out], Awaitable[None]]
F = TypeVar("F", bound=Callable[..., Any])


class Sent(ResponseMutator):
    """An answer that is sent by a function."""

    def __init__(self, place: Trigger | None, send: Send, paths: tuple[str, ...], statuses: tuple[int, ...]) -> None:
        super().__init__(place)
        self.paths = paths
        self.statuses = statuses
        self._send = send

    async def send(self, answer: Answer, out: Out) -> None:
        await self._send(self, answer, out)

    def split(self, answer: Answer) -> AsyncIterator[tuple[bytes, bool]]:
        """The body in pieces; with the one before which the place lies comes True. Without a place with none."""
        if self.place is None:
            return ((piece, False) async for piece in answer.body)
        return split_at(self.place, answer.body, answer.head.is_stream)

    async def end(self, out: Out, then: Then) -> None:
        """Ends the connection as `then` says."""
        if then != "keep":
            await {"close": out.close, "reset": out.reset, "gone": out.gone}[then]()


def sent(
    *ids: str,
    at: str = "",
    on: tuple[str, ...] = PICTURES,
    statuses: tuple[int, ...] = OK,
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`async (answer, out) -> None`: sends the answer itself. Counts one hit for each answer."""

    async def send(function: Callable[..., Any], self: Sent, answer: Answer, out: Out) -> None:
        self.happened()
        await function(answer, out)

    return _declared(send, ids, at, on, statuses, options)


def answer(
    *ids: str,
    on: tuple[str, ...] = PICTURES,
    statuses: tuple[int, ...] = OK,
    then: Then = "keep",
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`(head, body) -> bytes`, or several packets: what is sent for an answer, once all of it is there.

    `head` has no framing yet: `head.length(n)` and `head.chunked()` are its bytes with one.
    """

    async def send(
        function: Callable[[Head, bytes], bytes | list[bytes]], self: Sent, answer: Answer, out: Out
    ) -> None:
        pieces = [piece async for piece in answer.body]
        body = b"".join(pieces)
        if answer.head.is_stream:
            honest = answer.head.chunked() + b"".join(map(chunk, pieces)) + LAST_CHUNK
        else:
            honest = answer.head.length(len(body)) + body
        made = function(answer.head.bare, body)
        packets = [made] if isinstance(made, bytes) else made
        if b"".join(packets) != honest or then != "keep":
            self.happened()
        for packet in packets:
            await out.write(packet)
        await self.end(out, then)

    return _declared(send, ids, "", on, statuses, options)


def chunks(
    *ids: str,
    at: str = "",
    last: bytes = LAST_CHUNK,
    then: Then = "keep",
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`(data) -> bytes`: what is sent as the chunk after the place or, without one, as each chunk of a stream.

    `last` is sent in place of the last chunk.
    """

    async def send(function: Callable[[bytes], bytes], self: Sent, answer: Answer, out: Out) -> None:
        await out.write(answer.head.chunked())
        async for piece, here in self.split(answer):
            honest = chunk(piece) if piece else b""
            changed = function(piece) if here or (piece and self.place is None) else honest
            if changed != honest:
                self.happened()
            await out.write(changed)
            if here and then != "keep":
                await self.end(out, then)
                return
        if last != LAST_CHUNK:
            self.happened()
        await out.write(last)
        if self.place is None:
            await self.end(out, then)

    return _declared(send, ids, at, GENERATE, OK, options)


def cut(*ids: str, at: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`async (out) -> None`: what happens at the place. The answer is sent in order until there, and no further."""

    async def send(function: Callable[[Out], Awaitable[None]], self: Sent, answer: Answer, out: Out) -> None:
        streams = answer.head.is_stream
        if not streams:
            parts = [part async for part in self.split(answer)]
            await out.write(answer.head.length(sum(len(piece) for piece, _ in parts)))
            pieces = _each(parts)
        else:
            await out.write(answer.head.chunked())
            pieces = self.split(answer)
        async for piece, here in pieces:
            if here:
                self.happened()
                await function(out)
                return
            if piece:
                await out.write(chunk(piece) if streams else piece)
        if streams:
            await out.write(LAST_CHUNK)

    return _declared(send, ids, at, PICTURES, OK, options)


def unanswered(
    *ids: str, on: tuple[str, ...] = PICTURES, statuses: tuple[int, ...] = OK, **options: Unpack[Options]
) -> Callable[[F], F]:
    """`async (out) -> None`: what happens in place of an answer."""

    async def send(function: Callable[[Out], Awaitable[None]], self: Sent, answer: Answer, out: Out) -> None:
        self.happened()
        await function(out)

    return _declared(send, ids, "", on, statuses, options)


def head(
    *ids: str,
    on: tuple[str, ...] = PICTURES,
    statuses: tuple[int, ...] = OK,
    then: Then = "keep",
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`(head) -> head`: another head, without framing, before the same body."""

    async def send(function: Callable[[Head], Head], self: Sent, answer: Answer, out: Out) -> None:
        changed = function(answer.head.bare)
        if changed != answer.head.bare or then != "keep":
            self.happened()
        await forward(changed, answer.body, out, streams=answer.head.is_stream)
        await self.end(out, then)

    return _declared(send, ids, "", on, statuses, options)


def stream(*ids: str, on: tuple[str, ...] = GENERATE, **options: Unpack[Options]) -> Callable[[F], F]:
    """`async (events) -> events`: an async generator over the events of a stream. Each of its pieces is a packet.

    The events come whole, with the blank line that ends them.
    """

    async def send(function: Callable[[Pieces], Pieces], self: Sent, answer: Answer, out: Out) -> None:
        came: list[bytes] = []
        went: list[bytes] = []
        try:
            events = _noted(events_of(answer.body), came)
            await forward(answer.head, _noted(function(events), went), out, streams=answer.head.is_stream)
        finally:
            if came != went:
                self.happened()

    return _declared(send, ids, "", on, OK, options)


def event(
    *ids: str, kinds: tuple[str, ...] = (), on: tuple[str, ...] = GENERATE, **options: Unpack[Options]
) -> Callable[[F], F]:
    """`(event) -> bytes`, or a list of packets: what is sent for each event of these kinds (none: of all)."""

    async def send(function: Callable[[bytes], Packets], self: Sent, answer: Answer, out: Out) -> None:
        async def changed() -> Pieces:
            async for one in events_of(answer.body):
                made = function(one) if not kinds or kind_of(one) in kinds else one
                packets = [made] if isinstance(made, bytes) else made
                if packets != [one]:
                    self.happened()
                for packet in packets:
                    yield packet

        await forward(answer.head, changed(), out, streams=answer.head.is_stream)

    return _declared(send, ids, "", on, OK, options)


def splice(
    *ids: str, at: str, on: tuple[str, ...] = GENERATE, ends: bool = False, **options: Unpack[Options]
) -> Callable[[F], F]:
    """`(rest) -> bytes`: other bytes for the piece after the place. With `ends` the answer is framed to end there."""

    async def send(function: Callable[[bytes], bytes], self: Sent, answer: Answer, out: Out) -> None:
        async def changed() -> Pieces:
            async for piece, here in self.split(answer):
                made = function(piece) if here else piece
                if made != piece or (here and ends):
                    self.happened()
                yield made
                if here and ends:
                    return

        await forward(answer.head, changed(), out, streams=answer.head.is_stream)

    return _declared(send, ids, at, on, OK, options)


def body(
    *ids: str, on: tuple[str, ...] = PICTURES, statuses: tuple[int, ...] = OK, **options: Unpack[Options]
) -> Callable[[F], F]:
    """`(body) -> bytes`: another body, framed in order. For answers that are no streams."""

    async def send(function: Callable[[bytes], bytes], self: Sent, answer: Answer, out: Out) -> None:
        data = await whole(answer)
        changed = function(data)
        if changed != data:
            self.happened()
        await out.write(answer.head.length(len(changed)) + changed)

    return _declared(send, ids, "", on, statuses, options)


async def whole(answer: Answer) -> bytes:
    """The body."""
    return b"".join([piece async for piece in answer.body])


async def honest(answer: Answer, out: Out) -> None:
    """Sends the answer in order."""
    await forward(answer.head, answer.body, out, streams=answer.head.is_stream)


def _declared(
    send: Callable[..., Awaitable[None]],
    ids: tuple[str, ...],
    at: str,
    on: tuple[str, ...],
    statuses: tuple[int, ...],
    options: Options,
) -> Callable[[F], F]:
    def make(place: Trigger | None, function: Callable[..., Any]) -> Sent:
        return Sent(place, lambda self, answer, out: send(function, self, answer, out), on, statuses)

    return lambda function: declare(function, ids, options, make, Layer.WIRE, at, ANYWHERE if at else ())


async def _noted(pieces: Pieces, into: list[bytes]) -> Pieces:
    async for piece in pieces:
        into.append(piece)
        yield piece


T = TypeVar("T")


async def _each(values: list[T]) -> AsyncIterator[T]:
    for value in values:
        yield value
