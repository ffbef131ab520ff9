"""Faults of the wire: connections that break, and framing that lies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

from mockserver.faults.catalogue import Layer, fault
from mockserver.faults.place import Unit
from mockserver.proxy.bend import LAST_CHUNK, Answer, Bend, Head, Out, chunk
from mockserver.proxy.placed import events, split_at

WIRE = Layer.WIRE
ANYWHERE = (Unit.BYTES, Unit.EVENT, Unit.PROGRESS, Unit.COMPLETE, Unit.ERROR)
CHUNKED = (b"transfer-encoding", b"chunked")
IMPATIENT = {"idle-timeout": "2"}
"""For servers that fall silent: the suite need not wait as long as it does for others."""
BROKEN_OFF = ("GEN-EVT-12", "UPS-ANS-02")
"""What an answer breaks that ends where it should not."""
REFUSALS = (
    *("GEN-REQ-06", "GEN-REQ-12", "GEN-REQ-13", "GEN-REQ-14", "GEN-REQ-15", "GEN-REQ-16"),
    *(f"GEN-TYP-{number:02}" for number in range(1, 16)),
    *(f"GEN-RNG-{number:02}" for number in range(1, 10)),
    *("UPS-REQ-04", "UPS-REQ-05", "UPS-REQ-06", "UPS-REQ-07"),
    *(f"UPS-REQ-{number}" for number in range(11, 17)),
    *("ERR-06", "ERR-08", "ROB-08"),
)
"""What speaks of refusals, and cannot see one when they are lost on the way."""


def bare(head: Head) -> Head:
    """Without the headers that frame the body."""
    return head.without(b"content-length", b"transfer-encoding")


def length(number: int) -> tuple[bytes, bytes]:
    return (b"content-length", b"%d" % number)


async def whole(answer: Answer) -> bytes:
    return b"".join([piece async for piece in answer.body])


class Cut(Bend):
    """Sends the answer framed in order as far as its place, and calls `there`. What follows is not sent."""

    async def send(self, answer: Answer, out: Out) -> None:
        assert self.place is not None
        head = bare(answer.head)
        streams = answer.head.is_stream
        pieces = split_at(self.place, answer.body, streams)
        if streams:
            await out.write(head.plus(CHUNKED).encoded())
            async for piece, here in pieces:
                if here:
                    self.happened()
                    await self.there(out)
                    return
                if piece:
                    await out.write(chunk(piece))
            await out.write(LAST_CHUNK)
            return
        parts = [part async for part in pieces]
        head = head.plus(length(sum(len(piece) for piece, _ in parts)))
        await out.write(head.encoded())
        for piece, here in parts:
            if here:
                self.happened()
                await self.there(out)
                return
            await out.write(piece)

    async def there(self, out: Out) -> None:
        """What happens at the place."""
        await out.close()


@fault(
    "reset",
    "The connection is reset in the middle of the answer.",
    layer=WIRE,
    breaks=BROKEN_OFF,
    units=ANYWHERE,
    place="inside:complete",
)
class Reset(Cut):
    async def there(self, out: Out) -> None:
        await out.reset()


@fault(
    "cut-off",
    "The connection is closed in the middle of the answer.",
    layer=WIRE,
    breaks=BROKEN_OFF,
    units=ANYWHERE,
    place="after:progress:2",
)
class CutOff(Cut):
    pass


@fault(
    "stall",
    "The answer stops in its middle, and the connection stays open.",
    layer=WIRE,
    breaks=BROKEN_OFF,
    units=ANYWHERE,
    place="after:progress:2",
    options=IMPATIENT,
)
class Stall(Cut):
    async def there(self, out: Out) -> None:
        await out.gone()


class Unanswered(Bend):
    """Sends nothing at all."""

    async def send(self, answer: Answer, out: Out) -> None:
        self.happened()
        await self.instead(out)

    async def instead(self, out: Out) -> None:
        await out.close()


@fault(
    "no-answer",
    "An accepted request is never answered, and the connection stays open.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
    options=IMPATIENT,
)
class NoAnswer(Unanswered):
    async def instead(self, out: Out) -> None:
        await out.gone()


@fault(
    "closed-at-once",
    "The connection is closed in place of an answer to an accepted request.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class ClosedAtOnce(Unanswered):
    pass


@fault(
    "reset-at-once",
    "The connection is reset in place of an answer to an accepted request.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class ResetAtOnce(Unanswered):
    async def instead(self, out: Out) -> None:
        await out.reset()


@fault(
    "health-closed",
    "The connection is closed in place of an answer to GET /health.",
    layer=WIRE,
    breaks=("HLT-01",),
    consequences=("ERR-05", "ROB-03"),
)
class HealthClosed(Unanswered):
    paths: ClassVar[tuple[str, ...]] = ("/health",)


@fault(
    "refusal-closed",
    "The connection is closed in place of a 400 answer.",
    layer=WIRE,
    breaks=("GEN-REQ-01", "GEN-REQ-02", "GEN-REQ-03", "GEN-REQ-04", "UPS-REQ-01", "UPS-REQ-02", "UPS-REQ-03", "ERR-07"),
    consequences=REFUSALS,
)
class RefusalClosed(Unanswered):
    statuses: ClassVar[tuple[int, ...]] = (400,)


class Counted(Bend):
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


class Chunked(Bend):
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


class Ending(Bend):
    """Sends event streams in chunks, but not the last chunk."""

    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def send(self, answer: Answer, out: Out) -> None:
        await out.write(bare(answer.head).plus(CHUNKED).encoded())
        async for piece in answer.body:
            await out.write(chunk(piece))
        self.happened()
        await self.end(out)

    async def end(self, out: Out) -> None:
        await out.close()


@fault(
    "last-chunk-missing",
    "The connection is closed after complete without a last chunk.",
    layer=WIRE,
    breaks=("GEN-EVT-14",),
)
class LastChunkMissing(Ending):
    pass


@fault(
    "kept-open",
    "The body does not end after complete: neither a last chunk nor the end of the connection comes.",
    layer=WIRE,
    breaks=("GEN-EVT-14",),
    options=IMPATIENT,
)
class KeptOpen(Ending):
    async def end(self, out: Out) -> None:
        await out.gone()


@fault(
    "reset-after-complete",
    "The connection is reset after complete.",
    layer=WIRE,
    breaks=("GEN-EVT-14",),
)
class ResetAfterComplete(Ending):
    async def end(self, out: Out) -> None:
        await out.reset()


@fault(
    "held-back",
    "All events are held back and sent together at the end, as a buffering proxy does.",
    layer=WIRE,
    breaks=("GEN-EVT-07",),
    pace=0.02,
)
class HeldBack(Bend):
    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def send(self, answer: Answer, out: Out) -> None:
        data = await whole(answer)
        self.happened()
        await out.write(bare(answer.head).plus(CHUNKED).encoded() + chunk(data) + LAST_CHUNK)


class Headed(Bend):
    """Sends the answer in order, but with `start` in place of its head."""

    async def send(self, answer: Answer, out: Out) -> None:
        data = await whole(answer)
        self.happened()
        await self.start(bare(answer.head).plus(length(len(data))), out)
        await out.write(data)

    async def start(self, head: Head, out: Out) -> None:
        """Sends what comes before the body."""


@fault(
    "garbage-before-status",
    "Bytes that are not HTTP come before the status line.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class GarbageBeforeStatus(Headed):
    async def start(self, head: Head, out: Out) -> None:
        await out.write(b"\x00\x01garbage\r\n" + head.encoded())


@fault(
    "no-head",
    "The body comes without status line and headers, as in HTTP/0.9.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class NoHead(Headed):
    pass


@fault(
    "status-no-number",
    "The status line has a word where the number belongs.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class StatusNoNumber(Headed):
    async def start(self, head: Head, out: Out) -> None:
        await out.write(head.encoded().replace(b"200", b"two hundred", 1))


@fault(
    "header-without-colon",
    "A line of the head is no header.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class HeaderWithoutColon(Headed):
    async def start(self, head: Head, out: Out) -> None:
        await out.write(head.encoded().replace(b"\r\n", b"\r\nno colon here\r\n", 1))


@fault(
    "gigantic-header",
    "A header of two megabytes comes with the answer.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class GiganticHeader(Headed):
    async def start(self, head: Head, out: Out) -> None:
        await out.write(head.plus((b"x-large", b"x" * (2 << 20))).encoded())


@fault(
    "interim-flood",
    "Interim answers (102) come without end, and never the final one.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class InterimFlood(Headed):
    async def start(self, head: Head, out: Out) -> None:
        for _ in range(2000):
            await out.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await out.gone()


@fault(
    "redirected",
    "Accepted requests are answered with a redirection to the same place.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
    consequences=("GEN-EVT-20",),
)
class Redirected(Headed):
    async def start(self, head: Head, out: Out) -> None:
        moved = Head(307, b"Temporary Redirect", head.headers).plus((b"location", b"/elsewhere"))
        await out.write(moved.encoded())


@fault(
    "closed-after-refusal",
    "The connection is closed after a 400 answer that did not announce it.",
    layer=WIRE,
    breaks=("ROB-07",),
)
class ClosedAfterRefusal(Bend):
    statuses: ClassVar[tuple[int, ...]] = (400,)

    async def send(self, answer: Answer, out: Out) -> None:
        await super().send(answer, out)
        self.happened()
        await out.close()


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
class RefusalCut(Bend):
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
class AnsweredTwice(Bend):
    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        sent = []
        async for event in events(body):
            sent.append(event)
            yield event
        self.happened()
        yield b"".join(sent)
