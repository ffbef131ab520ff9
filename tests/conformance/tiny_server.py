"""A server for the tiny suite: says what it is told to, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.conformance.serving import serving


@dataclass
class TinyServer:
    url: str = ""
    words: bytes = b"good blue neat words with a song"
    upscaled: bytes = b"good"
    health: bytes = b"yes"
    asked: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    def times(self, asked: str) -> int:
        return self.asked.count(asked)


@contextmanager
def tiny_server() -> Iterator[TinyServer]:
    state = TinyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(state.health)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self.answer(state.upscaled if self.path == "/upscale" else state.words)

        def answer(self, body: bytes) -> None:
            state.asked.append(f"{self.command} {self.path}")
            state.tokens.append(self.headers.get("authorization"))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler) as state.url:
        yield state
