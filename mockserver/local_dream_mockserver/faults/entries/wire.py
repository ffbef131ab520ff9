"""Faults of the wire: connections that break off, fall silent or do not end, framing that lies, heads and bodies that
cannot be read."""

from __future__ import annotations

import asyncio

from local_dream_mockserver.faults.effects import wire
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.wire import GENERATE, PICTURES, UPSCALE, Pieces
from local_dream_mockserver.proxy.mutator import LAST_CHUNK, Answer, Head, Out, chunk, gathered

BROKEN_OFF = ("GEN-EVT-12", "UPS-ANS-02")
"""What an answer breaks that ends where it should not."""
NO_ANSWER = ("GEN-SSE-01", "UPS-ANS-01")
"""What an answer breaks that is none."""
REFUSED = (400,)
HEALTH = ("/health",)
ELSEWHERE = (b"location", b"/elsewhere")
TERMINAL = ("complete", "error")


# Connections

several(wire.cut, *BROKEN_OFF)(
    "reset@inside:complete: The connection is reset in the middle of the answer.",
    lambda out: out.reset(),
    "cut-off@after:progress:2: The connection is closed in the middle of the answer.",
    lambda out: out.close(),
    "stall@after:progress:2: The answer stops in its middle, and the connection stays open.",
    lambda out: out.gone(),
)
several(wire.sent)(
    "health-closed (HLT-01): The connection is closed in place of an answer to GET /health.",
    where(lambda out, answer: out.close(), on=HEALTH),
    "refusal-closed (GEN-REQ-01, GEN-REQ-02, GEN-REQ-03, GEN-REQ-04, UPS-REQ-01, UPS-REQ-02, UPS-REQ-03, ERR-07): The"
    " connection is closed in place of a 400 answer.",
    where(lambda out, answer: out.close(), statuses=REFUSED),
    "refusal-never (GEN-REQ-01, UPS-REQ-01, UPS-REQ-02): What is to be refused is never answered, and the connection"
    " stays open.",
    where(lambda out, answer: out.gone(), statuses=REFUSED),
)


# Answers that do not come, or drip


async def drip(data: bytes, out: Out) -> None:
    """Sends a byte a second."""
    for byte in data:
        await out.write(bytes([byte]))
        await asyncio.sleep(1.0)


several(wire.sent, *NO_ANSWER)(
    "no-answer: An accepted request is never answered, and the connection stays open.",
    lambda out, answer: out.gone(),
    "closed-at-once: The connection is closed in place of an answer to an accepted request.",
    lambda out, answer: out.close(),
    "reset-at-once: The connection is reset in place of an answer to an accepted request.",
    lambda out, answer: out.reset(),
    "head-drips: The head of the answer to an accepted request comes at a byte a second.",
    lambda out, answer: drip(answer.head.bare.encoded(), out),
)


@wire.sent("SRV-04", statuses=REFUSED)
async def refusal_drips(out: Out, answer: Answer) -> None:
    """The body of a 400 answer comes at a byte a second."""
    body = await gathered(answer.body)
    await out.write(answer.head.length(len(body)))
    await drip(body, out)


@wire.sent(*BROKEN_OFF)
async def answer_drips(out: Out, answer: Answer) -> None:
    """The body of the answer to an accepted request comes at a byte a second."""
    await out.write(answer.head.bare.encoded())
    async for piece in answer.body:
        await drip(piece, out)
    await out.close()


# Framing, and lengths and chunks that are not what they say


def too_long(head: Head, body: bytes) -> bytes:
    """The answer with a length that it does not reach."""
    return head.length(len(body) + 1000) + body


def unframed(head: Head, body: bytes) -> bytes:
    """The answer with neither a length nor chunks: only the end of the connection could end it."""
    return head.encoded() + body


several(wire.answer, "SRV-04", then="gone")(
    "refusal-left-open: The body of a 400 answer has no length, and the connection stays open after it.",
    where(unframed, statuses=REFUSED),
    "refusal-too-long-left-open: Content-Length of a 400 answer says more than it has, and the connection stays open.",
    where(too_long, statuses=REFUSED),
    "health-left-open: The body of the answer to GET /health has no length, and the connection stays open after it.",
    where(unframed, on=HEALTH),
)
several(wire.chunks)(
    "last-chunk-missing (GEN-EVT-14): The connection is closed after complete without a last chunk.",
    where(chunk, last=b"", then="close"),
    "kept-open (GEN-EVT-14): The body does not end after complete: neither a last chunk nor the end of the connection"
    " comes.",
    where(chunk, last=b"", then="gone"),
    "reset-after-complete (GEN-EVT-14): The connection is reset after complete.",
    where(chunk, last=b"", then="reset"),
    "chunk-size-too-large@before:complete (GEN-EVT-14): A chunk holds less than its size says, and the connection is"
    " closed.",
    where(lambda data: b"%x\r\n%s" % (len(data) + 10, data), then="close"),
    "chunk-size-garbled@before:complete (GEN-EVT-12): The size of a chunk is not a number.",
    lambda data: b"xyz\r\n%s\r\n" % data,
    "chunk-size-too-small@before:complete (GEN-EVT-12): A chunk holds more than its size says.",
    lambda data: b"%x\r\n%s\r\n" % (len(data) - 10, data),
    "last-chunk-early@before:complete (GEN-EVT-12): A last chunk comes in the middle of the stream.",
    lambda data: LAST_CHUNK + chunk(data),
)
several(wire.answer)(
    "held-back (GEN-EVT-07): All events are held back and sent together at the end, as a buffering proxy does.",
    where(lambda head, body: head.chunked() + chunk(body) + LAST_CHUNK, on=GENERATE),
    "length-too-long-kept-open (GEN-EVT-14, UPS-ANS-02): Content-Length says more than the body has, and the"
    " connection stays open.",
    where(too_long, then="gone"),
    "length-too-long (GEN-EVT-14, UPS-ANS-02): Content-Length says more than the body has, and the connection is"
    " closed.",
    where(too_long, then="close"),
    "length-too-short (GEN-SSE-10, UPS-ANS-02): Content-Length says less than the body has.",
    where(lambda head, body: head.length(max(0, len(body) - 100)) + body, then="close"),
    "chunked-in-name-only (GEN-EVT-12, UPS-ANS-02): Transfer-Encoding says chunked, but the body is not in chunks.",
    where(lambda head, body: head.chunked() + body, then="close"),
    "closed-after-refusal (ROB-07): The connection is closed after a 400 answer that did not announce it.",
    where(lambda head, body: head.length(len(body)) + body, statuses=REFUSED, then="close"),
    "refusal-longer-than-announced (ROB-07): The body of a 400 answer is longer than its Content-Length says, so that"
    " the next answer begins with its rest.",
    where(lambda head, body: head.length(len(body)) + body + b"\r\n0\r\n\r\n", statuses=REFUSED),
)


# Answers that cannot be read, or do not end

several(wire.answer, *NO_ANSWER)(
    "two-lengths: Content-Length comes twice, with two values.",
    lambda head, body: head.length(len(body), len(body) + 1) + body,
    "length-no-number: Content-Length is not a number.",
    lambda head, body: head.plus((b"content-length", b"many")).encoded() + body,
    "garbage-before-status: Bytes that are not HTTP come before the status line.",
    lambda head, body: b"\x00\x01garbage\r\n" + head.length(len(body)) + body,
    "no-head: The body comes without status line and headers, as in HTTP/0.9.",
    lambda head, body: body,
    "status-no-number: The status line has a word where the number belongs.",
    lambda head, body: head.length(len(body)).replace(b"200", b"two hundred", 1) + body,
    "header-without-colon: A line of the head is no header.",
    lambda head, body: head.length(len(body)).replace(b"\r\n", b"\r\nno colon here\r\n", 1) + body,
    "gigantic-header: A header of two megabytes comes with the answer.",
    lambda head, body: head.plus((b"x-large", b"x" * (2 << 20))).length(len(body)) + body,
    "redirected: Accepted requests are answered with a redirection to the same place.",
    lambda head, body: Head(307, b"Temporary Redirect", (*head.headers, ELSEWHERE)).length(len(body)) + body,
    "interim-flood: Interim answers (102) come without end, and never the final one.",
    where(lambda head, body: [b"HTTP/1.1 102 Processing\r\n\r\n"] * 2000, then="gone"),
)
several(wire.head, *NO_ANSWER)(
    "no-content-type: Answers have no Content-Type.",
    lambda head: head.without(b"content-type"),
    "content-type-plain: Content-Type says text/plain, as web servers say by default.",
    lambda head: head.without(b"content-type").plus((b"content-type", b"text/plain")),
    "encoding-that-lies: Content-Encoding says gzip, but the body is not compressed.",
    lambda head: head.plus((b"content-encoding", b"gzip")),
)
several(wire.head, on=UPSCALE)(
    "upscale-headers-stripped (UPS-ANS-04, UPS-ANS-05): The X- headers of an enlarged picture are lost on the way.",
    lambda head: head.without(b"x-output-width", b"x-output-height", b"x-duration-ms"),
)


# Bodies that are changed on the way

several(wire.splice)(
    "framed-too-early@after:progress:2 (GEN-EVT-12, UPS-ANS-02): The answer ends in its middle, framed as if it were"
    " whole.",
    where(lambda rest: b"", on=PICTURES, ends=True),
    "base64-cut@inside:complete (GEN-SSE-10): The stream ends inside the base64 of complete, framed as if it were"
    " whole.",
    where(lambda rest: b"", ends=True),
    "error-page-in-stream@before:complete (GEN-EVT-12): In place of complete comes a piece of a gateway's error page.",
    where(lambda rest: b"<html><body>502 Bad Gateway</body></html>\n\n", ends=True),
    "invalid-utf8@after:progress:1 (GEN-SSE-04): A comment between two events has a byte that no UTF-8 has.",
    lambda rest: b": \xff\n" + rest,
    "cut-utf8@after:progress:1 (GEN-SSE-04): A comment between two events ends in the middle of a character.",
    lambda rest: b": \xe2\x82\n" + rest,
    "surrogate-utf8@after:progress:1 (GEN-SSE-04): A comment between two events has half a surrogate pair, coded as if"
    " it were a character.",
    lambda rest: b": \xed\xa0\x80\n" + rest,
    "bytes-lost@inside:complete (GEN-PIC-02): Four bytes of a picture's base64 are lost on the way.",
    lambda rest: rest[4:],
    "nul-inserted@inside:complete (GEN-SSE-08): A NUL byte is inserted into a picture's base64.",
    lambda rest: b"\x00" + rest,
    "line-end-inserted@inside:complete (GEN-SSE-08): A line end is inserted into a picture's base64.",
    lambda rest: b"\n" + rest,
)
several(wire.event)(
    "blank-line-missing (GEN-SSE-10): The blank line after the last event is missing.",
    where(lambda event: event.removesuffix(b"\n"), kinds=TERMINAL),
    "last-line-end-missing (GEN-SSE-10): The stream ends right behind the last event's JSON, without any line end.",
    where(lambda event: event.rstrip(b"\n"), kinds=TERMINAL),
    "crlf (GEN-SSE-05): Lines end with CR and LF.",
    lambda event: event.replace(b"\n", b"\r\n"),
    "cr (GEN-SSE-05): Lines end with CR.",
    lambda event: event.replace(b"\n", b"\r"),
)


@wire.stream("GEN-SSE-04")
async def byte_order_mark(events: Pieces) -> Pieces:
    """The stream begins with a byte order mark."""
    yield b"\xef\xbb\xbf"
    async for event in events:
        yield event


@wire.stream("GEN-EVT-12")
async def answered_twice(events: Pieces) -> Pieces:
    """The events of a stream are all sent twice."""
    sent = []
    async for event in events:
        sent.append(event)
        yield event
    yield b"".join(sent)


several(wire.body)(
    "jpeg-cut (UPS-ANS-02): The last quarter of an enlarged picture is missing, framed as if it were whole.",
    where(lambda body: body[: len(body) * 3 // 4], on=UPSCALE),
    "refusal-cut (ERR-02): The body of a 400 answer is cut short, and framed as if it were whole.",
    where(lambda body: body[:-10], statuses=REFUSED),
)
