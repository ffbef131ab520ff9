"""A server that accepts whatever is posted to it, paints noise, and counts what it did."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.scenarios.test_images import card, jpeg
from tests.conformance.serving import object_of, serving

EDGE = 8


@dataclass
class AcceptingServer:
    url: str = ""
    done: list[str] = field(default_factory=list)
    """The path of everything that was accepted."""

    @property
    def cost(self) -> Cost:
        return Cost(self.done.count("/generate"), self.done.count("/upscale"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: AcceptingServer

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):  # a client that broke off
            self._answer(200 if self.path == "/health" else 404, b"", "text/plain")

    def do_HEAD(self) -> None:
        self._answer(200, b"", "text/plain")

    def do_POST(self) -> None:
        fields = self._fields()
        if self.path not in ("/generate", "/upscale"):
            self._answer(404, b"", "text/plain")
            return
        self.state.done.append(self.path)
        with contextlib.suppress(OSError):
            if self.path == "/upscale":
                self._answer(200, jpeg(card(EDGE, EDGE)), "image/jpeg")
            else:
                self._answer(200, _stream(fields), "text/event-stream")

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _fields(self) -> dict[str, Any]:
        """The body as a JSON object, {} where it is none. What frames it badly is forgiven."""
        if (self.headers.get("transfer-encoding") or "").lower() == "chunked" and not self.headers.get(
            "content-length"
        ):
            body = b""
            with contextlib.suppress(ValueError):
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
        else:
            length = self.headers.get("content-length") or "0"
            body = self.rfile.read(int(length)) if length.isdigit() else b""
        self.close_connection = self.headers.get("connection") != "keep-alive"
        return object_of(body)

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _stream(fields: dict[str, Any]) -> bytes:
    """A stream that shows every extension that is asked for."""
    width = height = EDGE
    if isinstance(fields.get("size"), int):
        width = height = fields["size"] or EDGE
    elif "aspect_ratio" in fields:
        height = 2 * EDGE
    image = base64.b64encode(os.urandom(width * height * 3)).decode()
    complete: dict[str, Any] = {"image": image, "width": width, "height": height, "seed": 1, "generation_time_ms": 1}
    if "output_format" in fields:
        complete["format"] = fields["output_format"]
    events: list[tuple[str, dict[str, Any]]] = [("progress", {"step": 1, "total_steps": 1}), ("complete", complete)]
    return b"".join(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode() for name, data in events)


@contextlib.contextmanager
def accepting_server() -> Iterator[AcceptingServer]:
    """Serves on a free port."""
    state = AcceptingServer()
    handler = type("Handler", (_Handler,), {"state": state})
    with serving(handler) as state.url:
        yield state
