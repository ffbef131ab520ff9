"""The HTTP library of the recorded releases (cpp-httplib 0.20), as far as their clients notice it: what it refuses
before the program behind it hears of a request, always with an empty body."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from local_dream_mockserver.faults.effects.death import close
from local_dream_mockserver.faults.middleware import Header
from local_dream_mockserver.server import clock
from local_dream_mockserver.server.http_protocol import HttpProtocol

LONGEST_FORM = 8192
"""Bytes of a body that calls itself application/x-www-form-urlencoded, which is what curl's --data says."""
LONGEST_TARGET = 8192
LONGEST_LINE = 8192
"""Bytes of a header's name and value together."""
WITH_BODY = ("POST", "PUT", "PATCH", "DELETE")
"""Methods whose bodies are read before anybody asks whether there is such a path."""
UNROUTED = ("CONNECT", "TRACE", "PRI")
COMPRESSED = ("gzip", "deflate", "zstd")
GONE_FOR = 3.0
"""Seconds that a server is not there after it has died."""


def refused(method: str, headers: Headers, body: bytes) -> int | None:
    """The status with which a request is refused, or None where it is routed."""
    if method in UNROUTED:
        return 400
    if method not in WITH_BODY:
        return None
    coding = headers.get("content-encoding", "")
    if coding in COMPRESSED or "br" in coding:
        return 415
    if "content-length" not in headers and "transfer-encoding" not in headers and method != "DELETE":
        return 400  # it waits for the end of the connection, and gives up
    kind = headers.get("content-type", "")
    if kind.lower().startswith("multipart/form-data") and not is_form(kind, body):
        return 400
    if kind.startswith("application/x-www-form-urlencoded") and len(body) > LONGEST_FORM:
        return 413
    return None


def body_for(headers: Headers, body: bytes) -> bytes:
    """What the program gets as the body: nothing of a form in parts."""
    return b"" if headers.get("content-type", "").lower().startswith("multipart/form-data") else body


def is_form(kind: str, body: bytes) -> bool:
    """Whether a body is a form in parts, as its media type says."""
    parameters = [part.strip().partition("=") for part in kind.split(";")[1:]]
    boundary = next((value.strip('"') for name, _, value in parameters if name.lower() == "boundary"), "")
    mark = b"--" + boundary.encode()
    begin, end = body.find(mark + b"\r\n"), body.rfind(b"\r\n" + mark + b"--")
    return bool(boundary) and 0 <= begin < end


def header_value(headers: Sequence[Header], name: str) -> bytes | None:
    """The first value of a header as the program gets it, with its %XX read; None where there is none."""
    values = [value for key, value in headers if key.lower() == name.lower().encode()]
    return unquote_to_bytes(values[0].strip(b" \t")) if values else None


class Connections:
    """The connections of a server that can die."""

    def __init__(self) -> None:
        self.back_at = 0.0

    @property
    def gone(self) -> bool:
        return clock.monotonic() < self.back_at

    def die(self) -> None:
        """Resets all connections, and lets nobody in for a while. In the event loop."""
        self.back_at = clock.monotonic() + GONE_FOR
        close(GONE_FOR)


class LibraryProtocol(HttpProtocol):
    """Takes and refuses bytes as the library does. `protocol_of` makes one for a server."""

    always: tuple[Header, ...]
    """Headers of every answer."""
    target_length = 0
    long_line = False

    def on_message_begin(self) -> None:
        self.target_length, self.long_line = 0, False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self.target_length += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.long_line = self.long_line or len(name) + len(value) + len(b": \r\n") > LONGEST_LINE
        super().on_header(name, value)

    def expect_right_head(self) -> None:
        if self.long_line or self.target_length > LONGEST_TARGET:
            raise ValueError("too long")

    def send_400_response(self, msg: str) -> None:
        long = self.target_length > LONGEST_TARGET
        status = HTTPStatus.REQUEST_URI_TOO_LONG if long else HTTPStatus.BAD_REQUEST
        added = b"".join(b"%s: %s\r\n" % header for header in self.always)
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n".encode()
        self.transport.write(head + added + b"\r\n")
        self.transport.close()


def protocol_of(always: tuple[Header, ...]) -> type[HttpProtocol]:
    """The protocol of one server, whose answers have the headers `always`."""
    return type("ReleaseProtocol", (LibraryProtocol,), {"always": always})
