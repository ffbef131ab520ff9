"""Faults of the wire: connections that break off, fall silent or do not end, framing that lies, heads and bodies that
cannot be read."""

from __future__ import annotations

from local_dream_mockserver.faults.effects import wire
from local_dream_mockserver.faults.effects.wire import GENERATE, UPSCALE, Pieces
from local_dream_mockserver.proxy.mutator import LAST_CHUNK, Head, Out, chunk

BROKEN_OFF = ("GEN-EVT-12", "UPS-ANS-02")
"""What an answer breaks that ends where it should not."""
NO_ANSWER = ("GEN-SSE-01", "UPS-ANS-01")
"""What an answer breaks that is none."""
NO_REFUSAL = (
    *("GEN-REQ-01", "GEN-REQ-02", "GEN-REQ-03", "GEN-REQ-04"),
    *("UPS-REQ-01", "UPS-REQ-02", "UPS-REQ-03", "ERR-07"),
)
REFUSED = (400,)


# Connections


@wire.cut(*BROKEN_OFF, at="inside:complete")
async def reset(out: Out) -> None:
    """The connection is reset in the middle of the answer."""
    await out.reset()


@wire.cut(*BROKEN_OFF, at="after:progress:2")
async def cut_off(out: Out) -> None:
    """The connection is closed in the middle of the answer."""
    await out.close()


@wire.cut(*BROKEN_OFF, at="after:progress:2")
async def stall(out: Out) -> None:
    """The answer stops in its middle, and the connection stays open."""
    await out.gone()


@wire.unanswered(*NO_ANSWER)
async def no_answer(out: Out) -> None:
    """An accepted request is never answered, and the connection stays open."""
    await out.gone()


@wire.unanswered(*NO_ANSWER)
async def closed_at_once(out: Out) -> None:
    """The connection is closed in place of an answer to an accepted request."""
    await out.close()


@wire.unanswered(*NO_ANSWER)
async def reset_at_once(out: Out) -> None:
    """The connection is reset in place of an answer to an accepted request."""
    await out.reset()


@wire.unanswered("HLT-01", on=("/health",))
async def health_closed(out: Out) -> None:
    """The connection is closed in place of an answer to GET /health."""
    await out.close()


@wire.unanswered(*NO_REFUSAL, statuses=REFUSED)
async def refusal_closed(out: Out) -> None:
    """The connection is closed in place of a 400 answer."""
    await out.close()


@wire.answer("ROB-07", statuses=REFUSED, then="close")
def closed_after_refusal(head: Head, body: bytes) -> bytes:
    """The connection is closed after a 400 answer that did not announce it."""
    return head.length(len(body)) + body


@wire.chunks("GEN-EVT-14", last=b"", then="close")
def last_chunk_missing(data: bytes) -> bytes:
    """The connection is closed after complete without a last chunk."""
    return chunk(data)


@wire.chunks("GEN-EVT-14", last=b"", then="gone")
def kept_open(data: bytes) -> bytes:
    """The body does not end after complete: neither a last chunk nor the end of the connection comes."""
    return chunk(data)


@wire.chunks("GEN-EVT-14", last=b"", then="reset")
def reset_after_complete(data: bytes) -> bytes:
    """The connection is reset after complete."""
    return chunk(data)


@wire.answer("GEN-EVT-07", on=GENERATE)
def held_back(head: Head, body: bytes) -> bytes:
    """All events are held back and sent together at the end, as a buffering proxy does."""
    return head.chunked() + chunk(body) + LAST_CHUNK


# Lengths and chunks that are not what they say


@wire.answer("GEN-EVT-14", "UPS-ANS-02", then="close")
def length_too_long(head: Head, body: bytes) -> bytes:
    """Content-Length says more than the body has, and the connection is closed."""
    return head.length(len(body) + 1000) + body


@wire.answer("GEN-EVT-14", "UPS-ANS-02", then="gone")
def length_too_long_kept_open(head: Head, body: bytes) -> bytes:
    """Content-Length says more than the body has, and the connection stays open."""
    return head.length(len(body) + 1000) + body


@wire.answer("GEN-SSE-10", "UPS-ANS-02", then="close")
def length_too_short(head: Head, body: bytes) -> bytes:
    """Content-Length says less than the body has."""
    return head.length(max(0, len(body) - 100)) + body


@wire.answer(*NO_ANSWER)
def two_lengths(head: Head, body: bytes) -> bytes:
    """Content-Length comes twice, with two values."""
    return head.length(len(body), len(body) + 1) + body


@wire.answer(*NO_ANSWER)
def length_no_number(head: Head, body: bytes) -> bytes:
    """Content-Length is not a number."""
    return head.plus((b"content-length", b"many")).encoded() + body


@wire.answer(*BROKEN_OFF, then="close")
def chunked_in_name_only(head: Head, body: bytes) -> bytes:
    """Transfer-Encoding says chunked, but the body is not in chunks."""
    return head.chunked() + body


@wire.chunks("GEN-EVT-12", at="before:complete")
def chunk_size_garbled(data: bytes) -> bytes:
    """The size of a chunk is not a number."""
    return b"xyz\r\n%s\r\n" % data


@wire.chunks("GEN-EVT-12", at="before:complete")
def chunk_size_too_small(data: bytes) -> bytes:
    """A chunk holds more than its size says."""
    return b"%x\r\n%s\r\n" % (len(data) - 10, data)


@wire.chunks("GEN-EVT-14", at="before:complete", then="close")
def chunk_size_too_large(data: bytes) -> bytes:
    """A chunk holds less than its size says, and the connection is closed."""
    return b"%x\r\n%s" % (len(data) + 10, data)


@wire.chunks("GEN-EVT-12", at="before:complete")
def last_chunk_early(data: bytes) -> bytes:
    """A last chunk comes in the middle of the stream."""
    return LAST_CHUNK + chunk(data)


@wire.answer("ROB-07", statuses=REFUSED)
def refusal_longer_than_announced(head: Head, body: bytes) -> bytes:
    """The body of a 400 answer is longer than its Content-Length says, so that the next answer begins with its rest."""
    return head.length(len(body)) + body + b"\r\n0\r\n\r\n"


# Heads that cannot be read


@wire.answer(*NO_ANSWER)
def garbage_before_status(head: Head, body: bytes) -> bytes:
    """Bytes that are not HTTP come before the status line."""
    return b"\x00\x01garbage\r\n" + head.length(len(body)) + body


@wire.answer(*NO_ANSWER)
def no_head(head: Head, body: bytes) -> bytes:
    """The body comes without status line and headers, as in HTTP/0.9."""
    return body


@wire.answer(*NO_ANSWER)
def status_no_number(head: Head, body: bytes) -> bytes:
    """The status line has a word where the number belongs."""
    return head.length(len(body)).replace(b"200", b"two hundred", 1) + body


@wire.answer(*NO_ANSWER)
def header_without_colon(head: Head, body: bytes) -> bytes:
    """A line of the head is no header."""
    return head.length(len(body)).replace(b"\r\n", b"\r\nno colon here\r\n", 1) + body


@wire.answer(*NO_ANSWER)
def gigantic_header(head: Head, body: bytes) -> bytes:
    """A header of two megabytes comes with the answer."""
    return head.plus((b"x-large", b"x" * (2 << 20))).length(len(body)) + body


@wire.answer(*NO_ANSWER, then="gone")
def interim_flood(head: Head, body: bytes) -> list[bytes]:
    """Interim answers (102) come without end, and never the final one."""
    return [b"HTTP/1.1 102 Processing\r\n\r\n"] * 2000


@wire.answer(*NO_ANSWER)
def redirected(head: Head, body: bytes) -> bytes:
    """Accepted requests are answered with a redirection to the same place."""
    moved = Head(307, b"Temporary Redirect", head.headers).plus((b"location", b"/elsewhere"))
    return moved.length(len(body)) + body


@wire.head(*NO_ANSWER)
def no_content_type(head: Head) -> Head:
    """Answers have no Content-Type."""
    return head.without(b"content-type")


@wire.head(*NO_ANSWER)
def content_type_plain(head: Head) -> Head:
    """Content-Type says text/plain, as web servers say by default."""
    return head.without(b"content-type").plus((b"content-type", b"text/plain"))


@wire.head(*NO_ANSWER)
def encoding_that_lies(head: Head) -> Head:
    """Content-Encoding says gzip, but the body is not compressed."""
    return head.plus((b"content-encoding", b"gzip"))


@wire.head("UPS-ANS-04", "UPS-ANS-05", on=UPSCALE)
def upscale_headers_stripped(head: Head) -> Head:
    """The X- headers of an enlarged picture are lost on the way."""
    return head.without(b"x-output-width", b"x-output-height", b"x-duration-ms")


# Bodies that are changed on the way


@wire.splice(*BROKEN_OFF, at="after:progress:2", on=(*GENERATE, *UPSCALE), ends=True)
def framed_too_early(rest: bytes) -> bytes:
    """The answer ends in its middle, framed as if it were whole."""
    return b""


@wire.splice("GEN-SSE-10", at="inside:complete", ends=True)
def base64_cut(rest: bytes) -> bytes:
    """The stream ends inside the base64 of complete, framed as if it were whole."""
    return b""


@wire.splice("GEN-EVT-12", at="before:complete", ends=True)
def error_page_in_stream(rest: bytes) -> bytes:
    """In place of complete comes a piece of a gateway's error page."""
    return b"<html><body>502 Bad Gateway</body></html>\n\n"


@wire.splice("GEN-SSE-04", at="after:progress:1")
def invalid_utf8(rest: bytes) -> bytes:
    """A comment between two events has a byte that no UTF-8 has."""
    return b": \xff\n" + rest


@wire.splice("GEN-SSE-04", at="after:progress:1")
def cut_utf8(rest: bytes) -> bytes:
    """A comment between two events ends in the middle of a character."""
    return b": \xe2\x82\n" + rest


@wire.splice("GEN-SSE-04", at="after:progress:1")
def surrogate_utf8(rest: bytes) -> bytes:
    """A comment between two events has half a surrogate pair, coded as if it were a character."""
    return b": \xed\xa0\x80\n" + rest


@wire.splice("GEN-PIC-02", at="inside:complete")
def bytes_lost(rest: bytes) -> bytes:
    """Four bytes of a picture's base64 are lost on the way."""
    return rest[4:]


@wire.splice("GEN-SSE-08", at="inside:complete")
def nul_inserted(rest: bytes) -> bytes:
    """A NUL byte is inserted into a picture's base64."""
    return b"\x00" + rest


@wire.splice("GEN-SSE-08", at="inside:complete")
def line_end_inserted(rest: bytes) -> bytes:
    """A line end is inserted into a picture's base64."""
    return b"\n" + rest


@wire.event("GEN-SSE-10", kinds=("complete", "error"))
def blank_line_missing(event: bytes) -> bytes:
    """The blank line after the last event is missing."""
    return event.removesuffix(b"\n")


@wire.event("GEN-SSE-10", kinds=("complete", "error"))
def last_line_end_missing(event: bytes) -> bytes:
    """The stream ends right behind the last event's JSON, without any line end."""
    return event.rstrip(b"\n")


@wire.event("GEN-SSE-05")
def crlf(event: bytes) -> bytes:
    """Lines end with CR and LF."""
    return event.replace(b"\n", b"\r\n")


@wire.event("GEN-SSE-05")
def cr(event: bytes) -> bytes:
    """Lines end with CR."""
    return event.replace(b"\n", b"\r")


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


@wire.body("UPS-ANS-02", on=UPSCALE)
def jpeg_cut(body: bytes) -> bytes:
    """The last quarter of an enlarged picture is missing, framed as if it were whole."""
    return body[: len(body) * 3 // 4]


@wire.body("ERR-02", statuses=REFUSED)
def refusal_cut(body: bytes) -> bytes:
    """The body of a 400 answer is cut short, and framed as if it were whole."""
    return body[:-10]
