"""A server of the API that refuses what the test tells it to refuse, and paints what the test tells it to paint.

A generation of many small steps goes on until its client hangs up, so that nothing depends on how quick that client is.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from local_dream_conformance.scenarios.test_images import card, jpeg
from tests.conformance.serving import body_of, object_of, serving

ENDLESS = 8
CUT = 0
PATIENCE = 20.0


@dataclass
class Asked:
    """One request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The body as a JSON object; {} where it is none."""
        return object_of(self.body)


def valid_only(asked: Asked) -> int | None:
    """Refuses with 400 what has no prompt."""
    return None if isinstance(asked.fields.get("prompt"), str) else 400


@dataclass
class RefusingServer:
    """`refuses` gives the status of a refusal, CUT where the connection is to end without an answer, or None; `paint` a
    grey value (0..255) for the fields of a generation.

    `holds` keeps a generation waiting after its first progress event, until `release` is set.
    """

    refuses: Callable[[Asked], int | None] = valid_only
    paint: Callable[[dict[str, Any]], int] = lambda fields: 100
    holds: Callable[[dict[str, Any]], bool] = lambda fields: False
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def generations(self) -> list[dict[str, Any]]:
        """The fields of every POST /generate that was not refused."""
        return [a.fields for a in self.asked if a.path == "/generate" and self.refuses(a) is None]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: RefusingServer

    def handle_expect_100(self) -> bool:
        asked = Asked(self.command, self.path, self._headers(), b'{"prompt": "expected"}')
        status = self.state.refuses(asked)
        if status == 417:
            self.state.asked.append(asked)
            self._answer(417, b"", "text/plain")
            self.close_connection = True
            return False
        return super().handle_expect_100()

    def do_GET(self) -> None:
        self.state.asked.append(Asked("GET", self.path, self._headers(), b""))
        self._answer(200 if self.path == "/health" else 404, b"", "text/plain")

    def do_POST(self) -> None:
        asked = Asked("POST", self.path, self._headers(), body_of(self))
        self.state.asked.append(asked)
        status = self.state.refuses(asked)
        if status == CUT:
            self.close_connection = True
        elif status is not None:
            envelope = b'{"error": {"message": "no", "type": "request_error"}}'
            self._answer(status, envelope, "application/json", {"Retry-After": "0"})
        elif self.path == "/upscale":
            self._answer(200, jpeg(card(8, 8)), "image/jpeg")
        else:
            with contextlib.suppress(OSError):
                self._stream(asked.fields)

    def do_HEAD(self) -> None:
        self._answer(200, b"", "text/plain")

    def do_DELETE(self) -> None:
        self._answer(405, b"", "text/plain")

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _answer(self, status: int, body: bytes, media_type: str, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(body)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stream(self, fields: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        steps, width, height = fields.get("steps", 20), fields.get("width", 512), fields.get("height", 512)
        small = all(isinstance(side, int) and side <= 256 for side in (width, height))
        endless = isinstance(steps, int) and steps >= ENDLESS and small
        self._event("progress", step=1, total_steps=1)
        if self.state.holds(fields):
            assert self.state.release.wait(PATIENCE)
        try:
            while endless and not self.state.over.wait(0.01):
                self._event("progress", step=1, total_steps=1)
        except OSError:
            self.state.hung_up.set()
            raise
        pixels = bytes([self.state.paint(fields)]) * (width * height * 3)
        image, seed = base64.b64encode(pixels).decode(), fields.get("seed", 1)
        self._event("complete", image=image, seed=seed, width=width, height=height, generation_time_ms=1)
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, name: str, **data: Any) -> None:
        text = f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()
        self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")


@contextlib.contextmanager
def refusing_server(state: RefusingServer) -> Iterator[RefusingServer]:
    """Serves on a free port; fills in `url`."""
    handler = type("Handler", (_Handler,), {"state": state})
    with serving(handler) as state.url:
        try:
            yield state
        finally:
            state.over.set()
            state.release.set()
