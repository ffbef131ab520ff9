"""Requests to an application without a network in between, for tests that make thousands of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message

PATIENCE = 20.0


@dataclass(frozen=True)
class Ask:
    """A request. `client` is the connection that it comes on: each has one of its own unless it says another."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    client: int = 0


def generate(body: dict[str, Any] | bytes, **headers: str) -> Ask:
    """POST /generate."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Ask("POST", "/generate", data, {"content-type": "application/json", **_named(headers)})


def upscale(body: bytes, **headers: str) -> Ask:
    """POST /upscale. The names of headers with underscores."""
    return Ask("POST", "/upscale", body, _named(headers))


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").lower(): value for name, value in headers.items()}


@dataclass(frozen=True)
class Answer:
    """What came back. `ended` is False where the end did not come and the client has gone."""

    status: int | None
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    ended: bool


async def ask(app: ASGIApp, request: Ask, patience: float = PATIENCE) -> Answer:
    """Makes a request; the client leaves when the answer has not ended in time."""
    left = asyncio.Event()
    given = False
    status: int | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body = bytearray()
    ended = False

    async def receive() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": request.body, "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status, headers, ended
        if message["type"] == "http.response.start":
            status, headers = message["status"], tuple((name.lower(), value) for name, value in message["headers"])
        else:
            body.extend(message.get("body", b""))
            ended = not message.get("more_body", False)

    sent = {"content-length": str(len(request.body)), **request.headers}
    if "transfer-encoding" in sent:
        del sent["content-length"]
    scope = {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": ("127.0.0.1", request.client),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
    }
    work = asyncio.ensure_future(app(scope, receive, send))
    await asyncio.wait({work}, timeout=patience)
    left.set()
    await asyncio.wait_for(work, PATIENCE)
    return Answer(status, headers, bytes(body), ended)


@asynccontextmanager
async def alive(app: Starlette) -> AsyncIterator[Starlette]:
    """The application started, and stopped in the end."""
    async with app.router.lifespan_context(app):
        yield app
