"""What the proxy can do to an answer on its way from a server to its client.

A mutator gets the answer parsed (head, and the body with its transfer coding taken off, as it arrives) and sends what
it likes. The one here sends it honestly; those of the catalogue are made by `faults/effects/wire.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Protocol

from local_dream_mockserver.proxy.trigger import Trigger

Header = tuple[bytes, bytes]
STREAM = b"text/event-stream"
MOST_HELD = 64 << 20
"""Bytes of an answer that are kept where it cannot be sent on as it comes; a picture of 4096x4096 pixels has 48 MiB."""


class TooLong(Exception):
    """More of an answer would have to be kept than MOST_HELD."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers of an answer; names as the server wrote them."""

    status: int
    reason: bytes
    headers: tuple[Header, ...]

    def value(self, name: bytes) -> bytes:
        """The first value of a header, b"" where there is none. `name` in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), b"")

    def without(self, *names: bytes) -> Head:
        """The same without some headers. `names` in lower case."""
        return replace(self, headers=tuple(header for header in self.headers if header[0].lower() not in names))

    def plus(self, *headers: Header) -> Head:
        """The same with more headers, at the end."""
        return replace(self, headers=self.headers + headers)

    @property
    def is_stream(self) -> bool:
        return self.value(b"content-type").partition(b";")[0].strip().lower() == STREAM

    @property
    def bare(self) -> Head:
        """The same without the headers that frame the body."""
        return self.without(b"content-length", b"transfer-encoding")

    def length(self, *numbers: int) -> bytes:
        """Its bytes, framed by Content-Length: once for each number."""
        return self.bare.plus(*((b"content-length", b"%d" % number) for number in numbers)).encoded()

    def chunked(self) -> bytes:
        """Its bytes, framed by chunks."""
        return self.bare.plus((b"transfer-encoding", b"chunked")).encoded()

    def encoded(self) -> bytes:
        lines = [b"HTTP/1.1 %d %s" % (self.status, self.reason), *(b"%s: %s" % header for header in self.headers)]
        return b"\r\n".join(lines) + b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the server. `body` can be read once."""

    method: str
    path: str
    head: Head
    body: AsyncIterator[bytes]


class Out(Protocol):
    """The connection to the client. After `close` and `reset` nothing more is sent."""

    async def write(self, data: bytes) -> None:
        """Sends, as a packet of its own where TCP allows it; waits while the client does not read."""

    async def close(self) -> None:
        """Ends the connection in order."""

    async def reset(self) -> None:
        """Tears the connection down: the client sees a reset."""

    async def gone(self) -> None:
        """Waits until the client has gone."""


class ResponseMutator:
    """Sends answers as they are; subclasses override `send`. One object serves all connections of a proxy.

    `paths` are those whose answers it handles, `statuses` the statuses (none: all). `applied` counts how often it
    really changed what was sent: subclasses call `happened()` exactly when they do.
    """

    paths: tuple[str, ...] = ("/generate", "/upscale")
    statuses: tuple[int, ...] = (200,)

    def __init__(self, place: Trigger | None = None) -> None:
        self.place = place
        self.applied = 0

    def happened(self) -> None:
        """Counts one change."""
        self.applied += 1

    def wants(self, head: Head) -> bool:
        """Whether it handles an answer with this head."""
        return not self.statuses or head.status in self.statuses

    async def send(self, answer: Answer, out: Out) -> None:
        await forward(answer.head, answer.body, out, streams=answer.head.is_stream)


LAST_CHUNK = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """Data as one chunk of the chunked transfer coding."""
    return b"%x\r\n%s\r\n" % (len(data), data)


async def gathered(body: AsyncIterator[bytes]) -> bytes:
    """The whole of a body. Raises TooLong."""
    return b"".join([piece async for piece in bounded(body)])


async def bounded(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a body of which all are kept. Raises TooLong."""
    held = 0
    async for piece in body:
        held += len(piece)
        if held > MOST_HELD:
            raise TooLong
        yield piece


async def forward(head: Head, body: AsyncIterator[bytes], out: Out, *, streams: bool) -> None:
    """Sends an answer, framed in order: a stream in chunks as it comes, anything else with its length."""
    if not streams:
        whole = await gathered(body)
        await out.write(head.length(len(whole)) + whole)
        return
    await out.write(head.chunked())
    async for piece in body:
        if piece:
            await out.write(chunk(piece))
    await out.write(LAST_CHUNK)
