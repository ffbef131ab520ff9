"""What hostile servers send: answers too large, too deep, too many, without an end, or dressed up as something else."""

from __future__ import annotations

import base64
import gzip
import io
import json
import socket
import time
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, count, repeat

from PIL import Image

from tests.hostile.front import Send

MB = 1 << 20
BLOCK = 1 << 16
LAST_CHUNK = b"0\r\n\r\n"
SINGLE = 5000
"""Bytes that are sent one by one: more take longer than a busy machine's run waits for an answer."""


def chunk(data: bytes) -> bytes:
    """A chunk of the chunked transfer coding."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def says(data: bytes) -> Send:
    """These bytes, whatever was asked."""
    return lambda client, honest: client.sendall(data)


def flood(head: bytes, pieces: Iterable[bytes]) -> Send:
    """A head, then pieces, as long as anybody reads; the same for everybody who asks."""

    def send(client: socket.socket, honest: Iterator[bytes]) -> None:
        client.sendall(head)
        for piece in pieces:
            client.sendall(piece)

    return send


def drip(head: bytes, piece: bytes, every: float) -> Send:
    """A head, then a piece every so many seconds."""

    def send(client: socket.socket, honest: Iterator[bytes]) -> None:
        client.sendall(head)
        while True:
            client.sendall(piece)
            time.sleep(every)

    return send


def refusal(body: bytes, *headers: str, media_type: str = "application/json", length: bool = True) -> bytes:
    """A whole refusal with status 400."""
    head = ["HTTP/1.1 400 Bad Request", f"Content-Type: {media_type}", "Connection: close", *headers]
    head += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join(head).encode("utf-8") + b"\r\n\r\n" + body


def says_error(message: object, **more: object) -> bytes:
    """A refusal in the envelope."""
    return refusal(json.dumps({"error": {"message": message, "type": "request_error"}, **more}).encode())


def raw_error(inner: bytes) -> bytes:
    """A refusal in the envelope, with something more in it as it is."""
    return refusal(b'{"error":{"message":"no","type":"request_error"},"x":' + inner + b"}")


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def event(name: str, data: bytes) -> bytes:
    """An event as it is on the wire."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def step(number: int, total: int = 4, more: bytes = b"") -> bytes:
    """A progress event."""
    return event("progress", b'{"type":"progress","step":%d,"total_steps":%d%s}' % (number, total, more))


def complete(image: bytes, width: int = 64, height: int = 64, more: bytes = b"") -> bytes:
    """A complete event with an image in base64."""
    said = b'{"type":"complete","image":"%s","width":%d,"height":%d,"seed":1,"generation_time_ms":5%s}'
    return event("complete", said % (image, width, height, more))


def stream(*events: bytes) -> Send:
    """A whole stream of these events after a first step."""
    return flood(STREAM, [chunk(piece) for piece in (step(1), *events, b"")])


def cut(data: bytes) -> Iterator[bytes]:
    """The data in chunks of BLOCK bytes."""
    return (chunk(data[start : start + BLOCK]) for start in range(0, len(data), BLOCK))


def endless(data: bytes, first: bytes = b"") -> Send:
    """A stream that repeats the same for ever."""
    block = data * max(1, BLOCK // len(data))
    return flood(STREAM + (chunk(first) if first else b""), repeat(chunk(block)))


def without_end(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A chunked answer without its last chunk."""
    held = b""
    for piece in pieces:
        held += piece
        yield held[: -len(LAST_CHUNK)]
        held = held[-len(LAST_CHUNK) :]
    yield held.removesuffix(LAST_CHUNK)


def with_event(extra: bytes, *, at_end: bool = False) -> Send:
    """The honest stream with something put before its events, or after them."""

    def send(client: socket.socket, honest: Iterator[bytes]) -> None:
        head, _, begun = next(honest).partition(b"\r\n\r\n")
        client.sendall(head + b"\r\n\r\n")
        if not at_end:
            client.sendall(b"".join(cut(extra)))
        for piece in without_end(chain((begun,), honest)):
            client.sendall(piece)
        if at_end:
            client.sendall(b"".join(cut(extra)))
        client.sendall(LAST_CHUNK)

    return send


def steps(client: socket.socket, honest: Iterator[bytes]) -> None:
    """A stream whose steps count on for ever."""
    client.sendall(STREAM)
    for number in count(1, 1000):
        client.sendall(chunk(b"".join(step(one) for one in range(number, number + 1000))))


def left_open_after(client: socket.socket, honest: Iterator[bytes]) -> None:
    """The honest stream without its end."""
    for piece in without_end(honest):
        client.sendall(piece)
    time.sleep(60)


def in_single_bytes(client: socket.socket, honest: Iterator[bytes]) -> None:
    """The honest answer, SINGLE of its bytes one by one."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    left = SINGLE
    for piece in honest:
        for at in range(min(left, len(piece))):
            client.sendall(piece[at : at + 1])
        client.sendall(piece[left:])
        left = max(0, left - len(piece))


def bomb(size: int, coding: str = "gzip") -> bytes:
    """Zeros that inflate to `size` bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    return b"".join(packer.compress(bytes(MB)) for _ in range(size // MB)) + packer.flush()


def png(width: int, height: int) -> bytes:
    """A black picture."""
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(width: int, height: int) -> bytes:
    """A black picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "JPEG")
    return buffer.getvalue()


def claims(picture: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header says another size."""
    at = picture.index(b"\xff\xc0") + 5
    return picture[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + picture[at + 4 :]


def pictured(body: bytes, *headers: str) -> Send:
    """An answer of /upscale."""
    head = ["HTTP/1.1 200 OK", "Content-Type: image/jpeg", f"Content-Length: {len(body)}", *headers]
    return flood("\r\n".join(head).encode() + b"\r\n\r\n", [body[at : at + MB] for at in range(0, len(body), MB)])


def coded(data: bytes) -> bytes:
    """In base64."""
    return base64.b64encode(data)


def zipped(data: bytes) -> bytes:
    """As gzip."""
    return gzip.compress(data)
