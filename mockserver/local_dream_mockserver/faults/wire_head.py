"""Faults of the wire: heads that cannot be read."""

from __future__ import annotations

from local_dream_mockserver.faults.catalogue import fault
from local_dream_mockserver.faults.wire import WIRE, bare, length, whole
from local_dream_mockserver.proxy.mutator import Answer, Head, Out, ResponseMutator


class RewriteHeaders(ResponseMutator):
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
class GarbageBeforeStatus(RewriteHeaders):
    async def start(self, head: Head, out: Out) -> None:
        await out.write(b"\x00\x01garbage\r\n" + head.encoded())


@fault(
    "no-head",
    "The body comes without status line and headers, as in HTTP/0.9.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class NoHead(RewriteHeaders):
    pass


@fault(
    "status-no-number",
    "The status line has a word where the number belongs.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class StatusNoNumber(RewriteHeaders):
    async def start(self, head: Head, out: Out) -> None:
        await out.write(head.encoded().replace(b"200", b"two hundred", 1))


@fault(
    "header-without-colon",
    "A line of the head is no header.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class HeaderWithoutColon(RewriteHeaders):
    async def start(self, head: Head, out: Out) -> None:
        await out.write(head.encoded().replace(b"\r\n", b"\r\nno colon here\r\n", 1))


@fault(
    "gigantic-header",
    "A header of two megabytes comes with the answer.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class GiganticHeader(RewriteHeaders):
    async def start(self, head: Head, out: Out) -> None:
        await out.write(head.plus((b"x-large", b"x" * (2 << 20))).encoded())


@fault(
    "interim-flood",
    "Interim answers (102) come without end, and never the final one.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class InterimFlood(RewriteHeaders):
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
class Redirected(RewriteHeaders):
    async def start(self, head: Head, out: Out) -> None:
        moved = Head(307, b"Temporary Redirect", head.headers).plus((b"location", b"/elsewhere"))
        await out.write(moved.encoded())
