"""Faults of the wire: bytes of the body and lines of the head that change what the answer says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

from local_dream_mockserver.faults.catalogue import fault
from local_dream_mockserver.faults.wire import ANYWHERE, WIRE
from local_dream_mockserver.proxy.mutator import Head, ResponseMutator
from local_dream_mockserver.proxy.split import events, split_at


class Streams(ResponseMutator):
    """Changes event streams only."""

    paths: ClassVar[tuple[str, ...]] = ("/generate",)


@fault(
    "framed-too-early",
    "The answer ends in its middle, framed as if it were whole.",
    layer=WIRE,
    breaks=("GEN-EVT-12", "UPS-ANS-02"),
    units=ANYWHERE,
    place="after:progress:2",
)
class FramedTooEarly(ResponseMutator):
    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        assert self.place is not None
        async for piece, here in split_at(self.place, body, head.is_stream):
            if here:
                self.happened()
                return
            yield piece


@fault(
    "base64-cut",
    "The stream ends inside the base64 of complete, framed as if it were whole.",
    layer=WIRE,
    breaks=("GEN-SSE-10",),
    units=ANYWHERE,
    place="inside:complete",
)
class Base64Cut(Streams, FramedTooEarly):
    pass


@fault(
    "blank-line-missing",
    "The blank line after the last event is missing.",
    layer=WIRE,
    breaks=("GEN-SSE-10",),
)
class BlankLineMissing(Streams):
    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        before = b""
        async for event in events(body):
            yield before
            before = event
        self.happened()
        yield before.removesuffix(b"\n")


@fault(
    "last-line-end-missing",
    "The stream ends right behind the last event's JSON, without any line end.",
    layer=WIRE,
    breaks=("GEN-SSE-10",),
)
class LastLineEndMissing(Streams):
    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        before = b""
        async for event in events(body):
            yield before
            before = event
        self.happened()
        yield before.rstrip(b"\n")


class LineEnds(Streams):
    """Other line ends."""

    end = b""

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        self.happened()
        async for event in events(body):
            yield event.replace(b"\n", self.end)


@fault("crlf", "Lines end with CR and LF.", layer=WIRE, breaks=("GEN-SSE-05",))
class CrLf(LineEnds):
    end = b"\r\n"


@fault("cr", "Lines end with CR.", layer=WIRE, breaks=("GEN-SSE-05",))
class Cr(LineEnds):
    end = b"\r"


@fault("byte-order-mark", "The stream begins with a byte order mark.", layer=WIRE, breaks=("GEN-SSE-04",))
class ByteOrderMark(Streams):
    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        self.happened()
        yield b"\xef\xbb\xbf"
        async for piece in body:
            yield piece


class Inserted(Streams):
    """Bytes that do not belong there, between two events."""

    inserted = b""

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        assert self.place is not None
        async for piece, here in split_at(self.place, body, head.is_stream):
            if here:
                self.happened()
                yield self.inserted
            yield piece


@fault(
    "invalid-utf8",
    "A comment between two events has a byte that no UTF-8 has.",
    layer=WIRE,
    breaks=("GEN-SSE-04",),
    units=ANYWHERE,
    place="after:progress:1",
)
class InvalidUtf8(Inserted):
    inserted = b": \xff\n"


@fault(
    "cut-utf8",
    "A comment between two events ends in the middle of a character.",
    layer=WIRE,
    breaks=("GEN-SSE-04",),
    units=ANYWHERE,
    place="after:progress:1",
)
class CutUtf8(Inserted):
    inserted = b": \xe2\x82\n"


@fault(
    "surrogate-utf8",
    "A comment between two events has half a surrogate pair, coded as if it were a character.",
    layer=WIRE,
    breaks=("GEN-SSE-04",),
    units=ANYWHERE,
    place="after:progress:1",
)
class SurrogateUtf8(Inserted):
    inserted = b": \xed\xa0\x80\n"


@fault(
    "bytes-lost",
    "Four bytes of a picture's base64 are lost on the way.",
    layer=WIRE,
    breaks=("GEN-PIC-02",),
    consequences=("GEN-PIC-04",),
    units=ANYWHERE,
    place="inside:complete",
)
class BytesLost(Streams):
    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        assert self.place is not None
        async for piece, here in split_at(self.place, body, head.is_stream):
            if here:
                self.happened()
            yield piece[4:] if here else piece


@fault(
    "nul-inserted",
    "A NUL byte is inserted into a picture's base64.",
    layer=WIRE,
    breaks=("GEN-SSE-08",),
    consequences=("GEN-REQ-22",),
    units=ANYWHERE,
    place="inside:complete",
)
class NulInserted(Inserted):
    inserted = b"\x00"


@fault(
    "line-end-inserted",
    "A line end is inserted into a picture's base64.",
    layer=WIRE,
    breaks=("GEN-SSE-08",),
    consequences=("GEN-REQ-22",),
    units=ANYWHERE,
    place="inside:complete",
)
class LineEndInserted(Inserted):
    inserted = b"\n"


@fault(
    "error-page-in-stream",
    "In place of complete comes a piece of a gateway's error page.",
    layer=WIRE,
    breaks=("GEN-EVT-12",),
    units=ANYWHERE,
    place="before:complete",
)
class ErrorPageInStream(FramedTooEarly, Streams):
    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        async for piece in super().body(body, head):
            yield piece
        yield b"<html><body>502 Bad Gateway</body></html>\n\n"


class Types(ResponseMutator):
    """Another media type, or none."""

    type: ClassVar[bytes] = b""

    def head(self, head: Head) -> Head:
        self.happened()
        head = head.without(b"content-type")
        return head.plus((b"content-type", self.type)) if self.type else head


@fault("no-content-type", "Answers have no Content-Type.", layer=WIRE, breaks=("GEN-SSE-01", "UPS-ANS-01"))
class NoContentType(Types):
    pass


@fault(
    "content-type-plain",
    "Content-Type says text/plain, as web servers say by default.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class ContentTypePlain(Types):
    type = b"text/plain"


@fault(
    "encoding-that-lies",
    "Content-Encoding says gzip, but the body is not compressed.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class EncodingThatLies(ResponseMutator):
    def head(self, head: Head) -> Head:
        self.happened()
        return head.plus((b"content-encoding", b"gzip"))


@fault(
    "jpeg-cut",
    "The last quarter of an enlarged picture is missing, framed as if it were whole.",
    layer=WIRE,
    breaks=("UPS-ANS-02",),
)
class JpegCut(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/upscale",)

    async def body(self, body: AsyncIterator[bytes], head: Head) -> AsyncIterator[bytes]:
        data = b"".join([piece async for piece in body])
        self.happened()
        yield data[: len(data) * 3 // 4]


@fault(
    "upscale-headers-stripped",
    "The X- headers of an enlarged picture are lost on the way.",
    layer=WIRE,
    breaks=("UPS-ANS-04", "UPS-ANS-05"),
)
class UpscaleHeadersStripped(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/upscale",)

    def head(self, head: Head) -> Head:
        self.happened()
        return head.without(b"x-output-width", b"x-output-height", b"x-duration-ms")
