"""Faults of the lines of an event stream: fields, names and data of the events, and the head of the answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from functools import partial

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.changes import EVENTS, EachPiece
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.middleware import Header, RewriteHeaders, without
from local_dream_mockserver.proxy.split import kind_of
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest

EVENT = Layer.EVENT


def data_of(piece: bytes) -> bytes:
    """The data of an honest event."""
    return piece.split(b"\n")[1].removeprefix(b"data: ")


def _lines(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    change: Callable[[bytes], bytes],
    place: str = "",
) -> None:
    """Registers a fault that changes the bytes of events."""
    fault(name, sentence, layer=EVENT, breaks=breaks, units=EVENTS, place=place)(partial(EachPiece, change=change))


def _reordered(piece: bytes) -> bytes:
    first, second, *rest = piece.split(b"\n")
    return b"\n".join([second, first, *rest])


def _in_two(piece: bytes) -> bytes:
    """The data over two lines, as WHATWG allows: readers join them again."""
    cut = piece.index(b",") + 1
    return piece[:cut] + b"\ndata: " + piece[cut:]


def _renamed(names: dict[str, str]) -> Callable[[bytes], bytes]:
    """Another `type` in the data."""

    def renamed(piece: bytes) -> bytes:
        value = json.loads(data_of(piece))
        value["type"] = names.get(value["type"], value["type"])
        return _with_data(piece, json.dumps(value, separators=(",", ":")).encode())

    return renamed


def _with_data(piece: bytes, data: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind_of(piece).encode(), data)


def _untyped(piece: bytes) -> bytes:
    value = json.loads(data_of(piece))
    del value["type"]
    return _with_data(piece, json.dumps(value, separators=(",", ":")).encode())


def _python(piece: bytes) -> bytes:
    return _with_data(piece, repr(json.loads(data_of(piece))).encode())


def _further(key: bytes, value: bytes) -> Callable[[bytes], bytes]:
    """One more value in the data."""
    return lambda piece: piece.replace(b"data: {", b'data: {"%s":%s,' % (key, value), 1)


_lines(
    "event-line-missing",
    "Events have no `event:` line.",
    ("GEN-SSE-06",),
    lambda piece: piece.partition(b"\n")[2],
)
_lines("event-line-after-data", "The `event:` line comes after the data.", ("GEN-SSE-06",), _reordered)
_lines(
    "event-line-twice",
    "Events have two `event:` lines.",
    ("GEN-SSE-06",),
    lambda piece: b"event: message\n" + piece,
)
_lines(
    "data-in-two-lines",
    "The data of an event is broken into two lines.",
    ("GEN-SSE-07",),
    _in_two,
)
_lines(
    "no-space-after-data",
    "There is no space behind `data:`.",
    ("GEN-SSE-07",),
    lambda piece: piece.replace(b"data: ", b"data:", 1),
)
_lines(
    "progress-without-data",
    "A progress event has no data line.",
    ("GEN-SSE-07",),
    lambda piece: piece.partition(b"\n")[0] + b"\n\n",
    place="progress:2",
)
_lines(
    "nan-in-data",
    "The data of events holds NaN.",
    ("GEN-SSE-08",),
    _further(b"eta", b"NaN"),
)
_lines(
    "data-not-json",
    "The data of events is written as Python writes it.",
    ("GEN-SSE-08",),
    _python,
)
_lines("type-missing", "The data of events has no `type`.", ("GEN-SSE-09",), _untyped)
_lines(
    "type-unlike-the-name",
    "The `type` in the data of progress events is `step`.",
    ("GEN-SSE-09",),
    _renamed({"progress": "step"}),
)


@fault(
    "other-event-names",
    "Events named `ping` come between the others.",
    layer=EVENT,
    breaks=("GEN-SSE-12",),
)
class OtherNames(FaultHooks):
    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        async for piece in pieces:
            self.happened()
            yield b'event: ping\ndata: {"type":"ping"}\n\n'
            yield piece


Heads = Callable[[int, tuple[Header, ...]], tuple[int, tuple[Header, ...]]]


class StreamHead(RewriteHeaders):
    """Another head on event streams."""

    def __init__(self, place: Trigger | None, change: Heads) -> None:
        super().__init__(place)
        self.change = change

    def headed(self, status: int, headers: tuple[Header, ...]) -> tuple[int, tuple[Header, ...]]:
        return self.change(status, headers)


def _head(name: str, sentence: str, breaks: tuple[str, ...], change: Heads) -> None:
    fault(name, sentence, layer=EVENT, breaks=breaks)(partial(StreamHead, change=change))


def _type(kind: bytes) -> Heads:
    return lambda status, headers: (status, ((b"content-type", kind), *without(headers, b"content-type")))


_head(
    "stream-with-201",
    "Event streams come with status 201.",
    ("GEN-SSE-01",),
    lambda status, headers: (201, headers),
)
_head(
    "stream-as-json", "Event streams say that they are application/json.", ("GEN-SSE-01",), _type(b"application/json")
)
_head(
    "content-type-twice-unlike",
    "Content-Type comes twice, once with a charset.",
    ("GEN-SSE-02",),
    lambda status, headers: (status, (*headers, (b"content-type", b"text/event-stream; charset=utf-8"))),
)
_head(
    "no-cache-control",
    "Event streams come without Cache-Control.",
    ("GEN-SSE-03",),
    lambda status, headers: (status, without(headers, b"cache-control")),
)


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
