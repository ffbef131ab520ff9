"""uvicorn's HTTP protocol, with our error envelope where it refuses on its own, and a limit on headers."""

from __future__ import annotations

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from local_dream_mockserver.server.errors import APIError, Code

LONGEST_HEAD = 64 * 1024
"""Bytes of header names and values that one request may have; httptools itself knows no limit."""


class HttpProtocol(HttpToolsProtocol):
    """What is not HTTP gets 400, a head that is too long 431, both with the envelope."""

    head_length = 0

    def on_message_begin(self) -> None:
        self.head_length = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._grow(len(name) + len(value))
        super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        if self.head_length > LONGEST_HEAD:
            message = f"the request's head is longer than this server's {LONGEST_HEAD} bytes"
            problem = APIError(431, message, code=Code.OVER_LIMIT)
        else:
            problem = APIError(400, msg, code=Code.BAD_HTTP)
        body = problem.body()
        head = (
            f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def _grow(self, length: int) -> None:
        self.head_length += length
        if self.head_length > LONGEST_HEAD:
            raise ValueError("head too long")
