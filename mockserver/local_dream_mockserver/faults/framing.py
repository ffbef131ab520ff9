"""Faults of the lines of an event stream: fields, names and data of the events, and the head of the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

from starlette.types import Scope

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.middleware import Header, RewriteHeaders, without
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest

EVENT = Layer.EVENT


def data_of(piece: bytes) -> bytes:
    """The data of an honest event."""
    return piece.split(b"\n")[1].removeprefix(b"data: ")


def _further(key: bytes, value: bytes) -> Callable[[bytes], bytes]:
    """One more value in the data."""
    return lambda piece: piece.replace(b"data: {", b'data: {"%s":%s,' % (key, value), 1)


Heads = Callable[[int, tuple[Header, ...]], tuple[int, tuple[Header, ...]]]


class StreamHead(RewriteHeaders):
    """Another head on event streams."""

    def __init__(self, place: Trigger | None, change: Heads) -> None:
        super().__init__(place)
        self.change = change

    def headed(self, status: int, headers: tuple[Header, ...], scope: Scope) -> tuple[int, tuple[Header, ...]]:
        return self.change(status, headers)


def _type(kind: bytes) -> Heads:
    return lambda status, headers: (status, ((b"content-type", kind), *without(headers, b"content-type")))


class Charset(StreamHead):
    """Says a charset that the stream, which holds text beyond ASCII, is not in."""

    def __init__(self, place: Trigger | None, charset: bytes) -> None:
        super().__init__(place, _type(b"text/event-stream; charset=" + charset))

    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield _further(b"note", '"그림"'.encode())(piece)


for _charset in ("iso-8859-1", "utf-16"):
    fault(
        f"charset-{_charset}",
        f"Event streams, which are UTF-8, say that their charset is {_charset}.",
        layer=EVENT,
        breaks=("GEN-SSE-11",),
    )(partial(Charset, charset=_charset.encode()))
