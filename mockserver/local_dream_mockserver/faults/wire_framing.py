"""Faults of the wire: lengths and chunks that are not what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

from local_dream_mockserver.faults.catalogue import fault
from local_dream_mockserver.faults.wire import ANYWHERE, BROKEN_OFF, CHUNKED, IMPATIENT, WIRE, bare, length, whole
from local_dream_mockserver.proxy.mutator import LAST_CHUNK, Answer, Head, Out, ResponseMutator, chunk
from local_dream_mockserver.proxy.split import events, split_at


class Counted(ResponseMutator):
    """Sends the whole answer with a Content-Length in place of its own framing, once it is there."""

    async def send(self, answer: Answer, out: Out) -> None:
        data = await whole(answer)
        self.happened()
        await self.count(bare(answer.head), data, out)

    async def count(self, head: Head, data: bytes, out: Out) -> None:
        await out.write(head.plus(length(len(data))).encoded() + data)


@fault(
    "length-too-long",
    "Content-Length says more than the body has, and the connection is closed.",
    layer=WIRE,
    breaks=("GEN-EVT-14", "UPS-ANS-02"),
)
class LengthTooLong(Counted):
    async def count(self, head: Head, data: bytes, out: Out) -> None:
        await out.write(head.plus(length(len(data) + 1000)).encoded() + data)
        await out.close()


@fault(
    "length-too-long-kept-open",
    "Content-Length says more than the body has, and the connection stays open.",
    layer=WIRE,
    breaks=("GEN-EVT-14", "UPS-ANS-02"),
    options=IMPATIENT,
)
class LengthTooLongKeptOpen(Counted):
    async def count(self, head: Head, data: bytes, out: Out) -> None:
        await out.write(head.plus(length(len(data) + 1000)).encoded() + data)
        await out.gone()


@fault(
    "length-too-short",
    "Content-Length says less than the body has.",
    layer=WIRE,
    breaks=("GEN-SSE-10", "UPS-ANS-02"),
)
class LengthTooShort(Counted):
    async def count(self, head: Head, data: bytes, out: Out) -> None:
        await out.write(head.plus(length(max(0, len(data) - 100))).encoded() + data)
        await out.close()


@fault(
    "two-lengths",
    "Content-Length comes twice, with two values.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class TwoLengths(Counted):
    async def count(self, head: Head, data: bytes, out: Out) -> None:
        await out.write(head.plus(length(len(data)), length(len(data) + 1)).encoded() + data)


@fault(
    "length-no-number",
    "Content-Length is not a number.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class LengthNoNumber(Counted):
    async def count(self, head: Head, data: bytes, out: Out) -> None:
        await out.write(head.plus((b"content-length", b"many")).encoded() + data)


@fault(
    "chunked-in-name-only",
    "Transfer-Encoding says chunked, but the body is not in chunks.",
    layer=WIRE,
    breaks=BROKEN_OFF,
    consequences=("GEN-REQ-05",),
)
class ChunkedInNameOnly(Counted):
    async def count(self, head: Head, data: bytes, out: Out) -> None:
        await out.write(head.plus(CHUNKED).encoded() + data)
        await out.close()


class Chunked(ResponseMutator):
    """Sends event streams in chunks, event by event; the place is where a subclass does something else."""

    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def send(self, answer: Answer, out: Out) -> None:
        assert self.place is not None
        await out.write(bare(answer.head).plus(CHUNKED).encoded())
        async for piece, here in split_at(self.place, answer.body, answer.head.is_stream):
            if here:
                self.happened()
                await self.odd_chunk(piece, out)
            elif piece:
                await out.write(chunk(piece))
        await out.write(LAST_CHUNK)

    async def odd_chunk(self, data: bytes, out: Out) -> None:
        """Sends what follows the place."""


@fault(
    "chunk-size-garbled",
    "The size of a chunk is not a number.",
    layer=WIRE,
    breaks=("GEN-EVT-12",),
    units=ANYWHERE,
    place="before:complete",
)
class ChunkSizeGarbled(Chunked):
    async def odd_chunk(self, data: bytes, out: Out) -> None:
        await out.write(b"xyz\r\n%s\r\n" % data)


@fault(
    "chunk-size-too-small",
    "A chunk holds more than its size says.",
    layer=WIRE,
    breaks=("GEN-EVT-12",),
    units=ANYWHERE,
    place="before:complete",
)
class ChunkSizeTooSmall(Chunked):
    async def odd_chunk(self, data: bytes, out: Out) -> None:
        await out.write(b"%x\r\n%s\r\n" % (len(data) - 10, data))


@fault(
    "chunk-size-too-large",
    "A chunk holds less than its size says, and the connection is closed.",
    layer=WIRE,
    breaks=("GEN-EVT-14",),
    units=ANYWHERE,
    place="before:complete",
)
class ChunkSizeTooLarge(Chunked):
    async def odd_chunk(self, data: bytes, out: Out) -> None:
        await out.write(b"%x\r\n%s" % (len(data) + 10, data))
        await out.close()


@fault(
    "last-chunk-early",
    "A last chunk comes in the middle of the stream.",
    layer=WIRE,
    breaks=("GEN-EVT-12",),
    units=ANYWHERE,
    place="before:complete",
)
class LastChunkEarly(Chunked):
    async def odd_chunk(self, data: bytes, out: Out) -> None:
        await out.write(LAST_CHUNK + chunk(data))


@fault(
    "refusal-longer-than-announced",
    "The body of a 400 answer is longer than its Content-Length says, so that the next answer begins with its rest.",
    layer=WIRE,
    breaks=("ROB-07",),
    consequences=("ERR-02", "ERR-03", "ERR-08", "UPS-REQ-09"),
)
class RefusalLongerThanAnnounced(Counted):
    statuses: ClassVar[tuple[int, ...]] = (400,)

    async def count(self, head: Head, data: bytes, out: Out) -> None:
        await out.write(head.plus(length(len(data))).encoded() + data + b"\r\n0\r\n\r\n")


@fault(
    "refusal-cut",
    "The body of a 400 answer is cut short, and framed as if it were whole.",
    layer=WIRE,
    breaks=("ERR-02",),
    consequences=("ERR-03", "ERR-08", "UPS-REQ-09"),
)
class RefusalCut(ResponseMutator):
    statuses: ClassVar[tuple[int, ...]] = (400,)

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        data = b"".join([piece async for piece in body])
        self.happened()
        yield data[:-10]


@fault(
    "answered-twice",
    "The events of a stream are all sent twice.",
    layer=WIRE,
    breaks=("GEN-EVT-12",),
    consequences=("GEN-EVT-04",),
)
class AnsweredTwice(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        sent = []
        async for event in events(body):
            sent.append(event)
            yield event
        self.happened()
        yield b"".join(sent)
