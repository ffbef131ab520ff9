"""Faults and quirks of a stream's bytes: the lines of events, how their data is written, and the head of the answer."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import events, responses
from local_dream_mockserver.faults.effects.declare import changed, several, where, whole
from local_dream_mockserver.faults.effects.events import EVENTS, PROGRESS, Pieces
from local_dream_mockserver.faults.effects.responses import having, lacking
from local_dream_mockserver.faults.hooks import FaultHooks, hooked
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import Headers, heading, is_stream
from local_dream_mockserver.proxy.split import kind_of
from local_dream_mockserver.server.engine import GenerationRequest

EVENT = Layer.EVENT
KOREAN = '"그림"'


def data_of(piece: bytes) -> Any:
    """The JSON in the data of an honest event."""
    return json.loads(piece.split(b"\n")[1].removeprefix(b"data: "))


def with_data(piece: bytes, data: str) -> bytes:
    """The event with other data."""
    return b"event: %s\ndata: %s\n\n" % (kind_of(piece).encode(), data.encode())


def further(piece: bytes, key: str, value: str) -> bytes:
    """The event with one more value, in JSON, in its data."""
    return piece.replace(b"data: {", f'data: {{"{key}":{value},'.encode(), 1)


# The lines of an event, and how its data is written


@events.piece("GEN-SSE-06")
def event_line_after_data(piece: bytes) -> bytes:
    """The `event:` line comes after the data."""
    first, second, *rest = piece.split(b"\n")
    return b"\n".join([second, first, *rest])


several(events.piece)(
    "data-in-two-lines (GEN-SSE-07): The data of an event is broken into two lines.",
    lambda piece: piece.replace(b",", b",\ndata: ", 1),  # WHATWG allows it: readers join them again
    "progress-without-data@progress:2 (GEN-SSE-07): A progress event has no data line.",
    lambda piece: piece.partition(b"\n")[0] + b"\n\n",
    "event-line-missing (GEN-SSE-06): Events have no `event:` line.",
    lambda piece: piece.partition(b"\n")[2],
    "event-line-twice (GEN-SSE-06): Events have two `event:` lines.",
    lambda piece: b"event: message\n" + piece,
    "no-space-after-data (GEN-SSE-07): There is no space behind `data:`.",
    lambda piece: piece.replace(b"data: ", b"data:", 1),
    "nan-in-data (GEN-SSE-08): The data of events holds NaN.",
    lambda piece: further(piece, "eta", "NaN"),
    "data-not-json (GEN-SSE-08): The data of events is written as Python writes it.",
    lambda piece: with_data(piece, repr(data_of(piece))),
)
several(events.piece, units=())(
    "further-fields (quirk): Events carry `id:` lines behind their data.",
    lambda piece: piece[:-1] + b"id: 7\n\n",
    "keys-sorted (quirk): The keys of events are sorted, as nlohmann::json writes them.",
    lambda piece: with_data(piece, json.dumps(data_of(piece), sort_keys=True, separators=(",", ":"))),
    "spaces-in-json (quirk): The JSON of events is written with spaces.",
    lambda piece: with_data(piece, json.dumps(data_of(piece))),
    "slashes-escaped (quirk): Slashes in the JSON of events are escaped, as PHP writes them.",
    lambda piece: with_data(piece, json.dumps(data_of(piece), separators=(",", ":")).replace("/", "\\/")),
    "other-languages-unescaped (quirk): Events hold text beyond ASCII, as UTF-8.",
    lambda piece: further(piece, "note", '"그림 🎨"'),
    "line-separators-in-data (quirk): Events hold characters at which some languages break lines (U+2028, U+0085), but"
    " event streams do not.",
    lambda piece: further(piece, "note", '"a\u2028b\u0085c"'),
)
several(events.event)(
    "type-missing (GEN-SSE-09): The data of events has no `type`.",
    where(lambda message: message.without("type"), units=EVENTS),
    "type-unlike-the-name (GEN-SSE-09): The `type` in the data of progress events is `step`.",
    where(lambda message: message.with_(type="step"), kinds=PROGRESS, units=EVENTS),
    "other-event-names (GEN-SSE-12): Events named `ping` come between the others.",
    lambda message: [Message("ping", "ping", {"type": "ping"}), message],
)


# Lines between events


async def framed(pieces: Pieces, first: bytes = b"", each: bytes = b"", last: bytes = b"") -> Pieces:
    """The stream with something before it, before each event, and after it."""
    if first:
        yield first
    async for piece in pieces:
        if each:
            yield each
        yield piece
    if last:
        yield last


several(events.pieces)(
    "comments (quirk): Comment lines come between events, as servers send them to keep connections open.",
    lambda pieces: framed(pieces, each=b": keep-alive\n\n"),
    "padding-first (quirk): The stream begins with a comment of two kilobytes, for browsers that buffer.",
    lambda pieces: framed(pieces, first=b":" + b" " * 2048 + b"\n\n"),
    "retry-first (quirk): The stream begins with a `retry:` line.",
    lambda pieces: framed(pieces, first=b"retry: 3000\n\n"),
    "done-at-the-end (quirk): A `data: [DONE]` follows the terminal event, as OpenAI's streams end.",
    lambda pieces: framed(pieces, last=b"data: [DONE]\n\n"),
)


# When the bytes come


async def collected(pieces: Pieces, *, number: float = math.inf, size: float = math.inf) -> Pieces:
    """The events, sent together when there are so many of them, or so many bytes, and at the end."""
    held: list[bytes] = []
    async for piece in pieces:
        held.append(piece)
        if len(held) >= number or sum(map(len, held)) >= size:
            yield b"".join(held)
            held = []
    yield b"".join(held)


several(events.pieces)(
    "events-held-back (GEN-EVT-07): All events come together when the work is done.",
    collected,
    "events-buffered (GEN-EVT-07): Events are sent when four kilobytes of them have come together.",
    lambda pieces: collected(pieces, size=4096),
    "events-in-pairs (quirk): Two events come together, as small packets do on some networks.",
    lambda pieces: collected(pieces, number=2),
    "every-second-event-flushed (GEN-EVT-23): Events are sent two at a time, however long a step takes.",
    lambda pieces: collected(pieces, number=2),
    "events-in-fives (GEN-EVT-23): Five events are collected before they are sent.",
    lambda pieces: collected(pieces, number=5),
)


@events.pieces("GEN-EVT-14", always=True)
async def stream_left_open(pieces: Pieces) -> Pieces:
    """The answer does not end after the terminal event."""
    async for piece in pieces:
        yield piece
    await asyncio.Event().wait()


@events.pieces(quirk=True, always=True)
async def queued_in_silence(pieces: Pieces) -> Pieces:
    """The first event comes after half a second of silence, as from a queue."""
    await asyncio.sleep(0.5)
    async for piece in pieces:
        yield piece


# The head of the stream

several(responses.headers, layer=EVENT)(
    "stream-with-201 (GEN-SSE-01): Event streams come with status 201.",
    lambda status, headers: (201, headers),
    "stream-as-json (GEN-SSE-01): Event streams say that they are application/json.",
    having(b"content-type", b"application/json"),
    "content-type-twice-unlike (GEN-SSE-02): Content-Type comes twice, once with a charset.",
    lambda status, headers: (status, (*headers, (b"content-type", b"text/event-stream; charset=utf-8"))),
    "no-cache-control (GEN-SSE-03): Event streams come without Cache-Control.",
    lacking(b"cache-control"),
    "content-type-doubled (quirk, GEN-SSE-02): Content-Type comes twice on event streams, as cpp-httplib sends it.",
    lambda status, headers: (status, (*headers, (b"content-type", b"text/event-stream"))),
    "no-store (quirk): Event streams come with Cache-Control: no-store, no-transform.",
    having(b"cache-control", b"no-store, no-transform"),
)


def misread(charset: bytes) -> Callable[[], FaultHooks]:
    """For `whole`: says a charset that the stream, which holds text beyond ASCII, is not in."""
    lies = having(b"content-type", b"text/event-stream; charset=" + charset)

    def wrap(hooks: FaultHooks, app: ASGIApp) -> ASGIApp:
        def other(status: int, headers: Headers) -> tuple[int, Headers]:
            return changed(hooks, (status, headers), lies(status, headers) if is_stream(headers) else (status, headers))

        return lambda scope, receive, send: app(scope, receive, heading(send, other))

    async def pieces(hooks: FaultHooks, came: Pieces, request: GenerationRequest) -> Pieces:
        async for piece in came:
            yield further(piece, "note", KOREAN)

    return lambda: hooked(None, wrap=wrap, pieces=pieces)


several(whole, layer=EVENT)(
    "charset-iso-8859-1 (GEN-SSE-11): Event streams, which are UTF-8, say that their charset is iso-8859-1.",
    misread(b"iso-8859-1"),
    "charset-utf-16 (GEN-SSE-11): Event streams, which are UTF-8, say that their charset is utf-16.",
    misread(b"utf-16"),
)
