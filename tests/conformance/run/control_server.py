"""A server of the control API that says what a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL, OTHER = "anything", "another"


class ControlServer:
    """A control API that says what the test says. `asked` has (method, path, body) of each request."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self.now: dict[str, Any] = said(MODEL)
        self.coming: list[dict[str, Any]] = []
        """What GET /status says before it says `now`, one each."""
        self.on_select: Callable[[ControlServer, str], None] = lambda server, model: None
        self.on_stop: Callable[[ControlServer], None] = lambda server: None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        self.asked.append((method, path, body))
        try:
            values = json.loads(body or b"{}")
        except ValueError:
            values = {}
        match method, path:
            case "GET", "/info":
                return 200, {"app": "localdream", "protocol": 1, "version": "2.8.1", "device": "a phone"}
            case "GET", "/models":
                models = [{"id": one, "name": one} for one in (MODEL, OTHER)]
                return 200, {"use_img2img": True, "models": models, "upscalers": []}
            case "GET", "/status":
                return 200, self.coming.pop(0) if self.coming else self.now
            case "POST", "/select":
                self.on_select(self, values.get("model_id", ""))
                known = values.get("model_id") in (MODEL, OTHER)
                return (200, {"ok": True}) if known else (404, {"error": "model not found"})
            case "POST", "/stop":
                self.on_stop(self)
                return 200, {"ok": True, "ignored": True}
        return 404, {"error": "not found"}

    @property
    def posted(self) -> list[tuple[str, Any]]:
        """Path and `model_id` of each POST; None where there is none."""
        found = []
        for method, path, body in self.asked:
            if method == "POST":
                try:
                    found.append((path, json.loads(body).get("model_id")))
                except ValueError:
                    found.append((path, None))
        return found


def said(model: str | None, state: str = "running", size: int | None = 512) -> dict[str, Any]:
    """The answer of GET /status."""
    rest = {"message": None, "error_model_id": None, "width": size, "height": size}
    return {"state": state, "serving_model_id": model, **rest}


@contextmanager
def listening(server: ControlServer) -> Iterator[str]:
    """The URL at which it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, values = server.answer(self.command, self.path, body)
            data = values if isinstance(values, bytes) else json.dumps(values).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}"
        finally:
            listener.shutdown()
            thread.join()
