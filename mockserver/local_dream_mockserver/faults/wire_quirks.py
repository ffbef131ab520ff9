"""Quirks of the wire: framing that is unusual and allowed by HTTP, networks that are slow and cut anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

from local_dream_mockserver.faults.catalogue import quirk
from local_dream_mockserver.faults.wire import CHUNKED, WIRE, bare, whole
from local_dream_mockserver.proxy.mutator import LAST_CHUNK, Answer, Head, Out, ResponseMutator, chunk
from local_dream_mockserver.proxy.split import events

EDGE = 300
"""Bytes at either end of an event that are sent one at a time; a picture's middle would take minutes that way."""


@quirk(
    "byte-by-byte",
    "The bytes of answers come one in a packet (in pictures, the first and the last 300 of them).",
    layer=WIRE,
)
class ByteByByte(ResponseMutator):
    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        async for piece in events(body):
            self.happened()
            edge = min(EDGE, len(piece) // 2)
            for position in range(edge):
                yield piece[position : position + 1]
            yield piece[edge : len(piece) - edge]
            for position in range(len(piece) - edge, len(piece)):
                yield piece[position : position + 1]


@quirk("two-in-a-packet", "Events come in pairs, two in a packet.", layer=WIRE)
class TwoInAPacket(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        held: list[bytes] = []
        async for event in events(body):
            held.append(event)
            if len(held) == 2:
                self.happened()
                yield b"".join(held)
                held.clear()
        yield b"".join(held)


@quirk("cut-between-line-ends", "Packets end between the two line ends that end an event.", layer=WIRE)
class CutBetweenLineEnds(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        rest = b""
        async for event in events(body):
            self.happened()
            yield rest + event[:-1]
            rest = event[-1:]
        yield rest


@quirk("split-utf8", "A packet ends in the middle of a character of a comment.", layer=WIRE)
class SplitUtf8(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        comment = ": 그림\n".encode()
        async for event in events(body):
            self.happened()
            yield comment[:4]
            yield comment[4:]
            yield event


@quirk("dribble", "Events come in ten pieces with a hundredth of a second between them.", layer=WIRE)
class Dribble(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        async for event in events(body):
            self.happened()
            step = -(-len(event) // 10)
            for start in range(0, len(event), step):
                yield event[start : start + step]
                await asyncio.sleep(0.01)


@quirk("slow-start", "The head of an answer comes a quarter of a second late.", layer=WIRE)
class SlowStart(ResponseMutator):
    async def send(self, answer: Answer, out: Out) -> None:
        self.happened()
        await asyncio.sleep(0.25)
        await super().send(answer, out)


@quirk("close-after-each", "The connection is closed after each answer, which says so.", layer=WIRE)
class CloseAfterEach(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/generate", "/upscale", "/health")
    statuses: ClassVar[tuple[int, ...]] = ()

    def head(self, head: Head) -> Head:
        return head.without(b"connection").plus((b"connection", b"close"))

    async def send(self, answer: Answer, out: Out) -> None:
        self.happened()
        await super().send(answer, out)
        await out.close()


@quirk("ended-by-close", "Answers have no framing but the end of the connection, as in HTTP/1.0.", layer=WIRE)
class EndedByClose(ResponseMutator):
    async def send(self, answer: Answer, out: Out) -> None:
        self.happened()
        await out.write(bare(answer.head).without(b"connection").plus((b"connection", b"close")).encoded())
        async for piece in answer.body:
            await out.write(piece)
        await out.close()


@quirk("refusals-in-chunks", "The bodies of error answers come in chunks of five bytes.", layer=WIRE)
class RefusalsInChunks(ResponseMutator):
    statuses: ClassVar[tuple[int, ...]] = (400, 404, 405, 413, 415, 500)

    async def send(self, answer: Answer, out: Out) -> None:
        data = await whole(answer)
        self.happened()
        await out.write(bare(answer.head).plus(CHUNKED).encoded())
        for start in range(0, len(data), 5):
            await out.write(chunk(data[start : start + 5]))
        await out.write(LAST_CHUNK)


@quirk("pictures-in-chunks", "Enlarged pictures come in chunks.", layer=WIRE)
class PicturesInChunks(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/upscale",)

    async def send(self, answer: Answer, out: Out) -> None:
        data = await whole(answer)
        self.happened()
        await out.write(bare(answer.head).plus(CHUNKED).encoded())
        for start in range(0, len(data), 1000):
            await out.write(chunk(data[start : start + 1000]))
        await out.write(LAST_CHUNK)


@quirk("chunk-extensions", "Chunks carry extensions, and a trailer follows the last one.", layer=WIRE)
class ChunkExtensions(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def send(self, answer: Answer, out: Out) -> None:
        self.happened()
        await out.write(bare(answer.head).plus(CHUNKED).encoded())
        async for piece in answer.body:
            await out.write(b"%x;note=x\r\n%s\r\n" % (len(piece), piece))
        await out.write(b"0\r\nX-Trailer: x\r\n\r\n")


@quirk("early-hints", "Interim answers (103) come before the final one.", layer=WIRE)
class EarlyHints(ResponseMutator):
    async def send(self, answer: Answer, out: Out) -> None:
        self.happened()
        await out.write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 2)
        await super().send(answer, out)


class Heads(ResponseMutator):
    """Unusual heads, on every answer."""

    paths: ClassVar[tuple[str, ...]] = ("/generate", "/upscale", "/health")
    statuses: ClassVar[tuple[int, ...]] = ()


@quirk(
    "loud-headers",
    "The names of headers and the media types are in capitals.",
    layer=WIRE,
)
class LoudHeaders(Heads):
    def head(self, head: Head) -> Head:
        self.happened()
        loud = tuple(
            (name.upper(), value.upper() if name.lower() == b"content-type" else value) for name, value in head.headers
        )
        return Head(head.status, head.reason, loud)


@quirk("other-reasons", "Status lines have no reason phrase.", layer=WIRE)
class OtherReasons(Heads):
    def head(self, head: Head) -> Head:
        self.happened()
        return Head(head.status, b"", head.headers)


@quirk("long-headers", "Answers carry twenty more headers, of eight kilobytes together.", layer=WIRE)
class LongHeaders(Heads):
    def head(self, head: Head) -> Head:
        self.happened()
        return head.plus(*((b"x-more-%d" % number, b"x" * 400) for number in range(20)))


@quirk("media-type-parameters", "Media types carry parameters.", layer=WIRE)
class MediaTypeParameters(Heads):
    def head(self, head: Head) -> Head:
        self.happened()
        kind = head.value(b"content-type")
        return head.without(b"content-type").plus((b"content-type", kind + b"; charset=utf-8")) if kind else head
