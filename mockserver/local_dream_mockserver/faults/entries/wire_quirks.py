"""Quirks of the wire: framing and heads that are unusual and allowed, networks that are slow and cut anywhere."""

from __future__ import annotations

import asyncio

from local_dream_mockserver.faults.effects import wire
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.wire import EVERYWHERE, PICTURES, UPSCALE, Pieces
from local_dream_mockserver.proxy.mutator import LAST_CHUNK, Answer, Head, Out, chunk

EDGE = 300
"""Bytes at either end of an event that are sent one at a time; a picture's middle would take minutes that way."""
ERRORS = (400, 404, 405, 413, 415, 500)
ANY = ()
COMMENT = ": 그림\n".encode()


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


# Packets


@wire.event(on=PICTURES, quirk=True)
def byte_by_byte(event: bytes) -> list[bytes]:
    """The bytes of answers come one in a packet (in pictures, the first and the last 300 of them)."""
    edge = min(EDGE, len(event) // 2)
    return [*_cut(event[:edge], 1), event[edge : len(event) - edge], *_cut(event[len(event) - edge :], 1)]


@wire.stream(quirk=True)
async def two_in_a_packet(events: Pieces) -> Pieces:
    """Events come in pairs, two in a packet."""
    held = b""
    async for event in events:
        if held:
            yield held + event
        held = b"" if held else event
    yield held


@wire.stream(quirk=True)
async def cut_between_line_ends(events: Pieces) -> Pieces:
    """Packets end between the two line ends that end an event."""
    rest = b""
    async for event in events:
        yield rest + event[:-1]
        rest = event[-1:]
    yield rest


@wire.stream(quirk=True)
async def dribble(events: Pieces) -> Pieces:
    """Events come in ten pieces with a hundredth of a second between them."""
    async for event in events:
        for piece in _cut(event, -(-len(event) // 10)):
            yield piece
            await asyncio.sleep(0.01)


@wire.sent(quirk=True)
async def slow_start(out: Out, answer: Answer) -> None:
    """The head of an answer comes a quarter of a second late."""
    await asyncio.sleep(0.25)
    await wire.honest(answer, out)


several(wire.event)(
    "split-utf8 (quirk): A packet ends in the middle of a character of a comment.",
    lambda event: [COMMENT[:4], COMMENT[4:], event],
)


# Framing


@wire.head(on=EVERYWHERE, statuses=ANY, then="close", quirk=True)
def close_after_each(head: Head) -> Head:
    """The connection is closed after each answer, which says so."""
    return head.without(b"connection").plus((b"connection", b"close"))


@wire.sent(quirk=True)
async def ended_by_close(out: Out, answer: Answer) -> None:
    """Answers have no framing but the end of the connection, as in HTTP/1.0."""
    await out.write(close_after_each(answer.head.bare).encoded())
    async for piece in answer.body:
        await out.write(piece)
    await out.close()


several(wire.answer)(
    "refusals-in-chunks (quirk): The bodies of error answers come in chunks of five bytes.",
    where(lambda head, body: [head.chunked(), *map(chunk, _cut(body, 5)), LAST_CHUNK], statuses=ERRORS),
    "pictures-in-chunks (quirk): Enlarged pictures come in chunks.",
    where(lambda head, body: [head.chunked(), *map(chunk, _cut(body, 1000)), LAST_CHUNK], on=UPSCALE),
)
several(wire.chunks, last=b"0\r\nX-Trailer: x\r\n\r\n")(
    "chunk-extensions (quirk): Chunks carry extensions, and a trailer follows the last one.",
    lambda data: b"%x;note=x\r\n%s\r\n" % (len(data), data),
)


@wire.sent(quirk=True)
async def early_hints(out: Out, answer: Answer) -> None:
    """Interim answers (103) come before the final one."""
    await out.write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 2)
    await wire.honest(answer, out)


# Heads


@wire.head(on=EVERYWHERE, statuses=ANY, quirk=True)
def loud_headers(head: Head) -> Head:
    """The names of headers and the media types are in capitals."""
    loud = ((name.upper(), value.upper() if name.lower() == b"content-type" else value) for name, value in head.headers)
    return Head(head.status, head.reason, tuple(loud))


several(wire.head, on=EVERYWHERE, statuses=ANY)(
    "other-reasons (quirk): Status lines have no reason phrase.",
    lambda head: Head(head.status, b"", head.headers),
    "long-headers (quirk): Answers carry twenty more headers, of eight kilobytes together.",
    lambda head: head.plus(*((b"x-more-%d" % number, b"x" * 400) for number in range(20))),
)


@wire.head(on=EVERYWHERE, statuses=ANY, quirk=True)
def media_type_parameters(head: Head) -> Head:
    """Media types carry parameters."""
    kind = head.value(b"content-type")
    return head.without(b"content-type").plus((b"content-type", kind + b"; charset=utf-8")) if kind else head
