"""A server that is right but for one spot, on real ports: header names reach it as they are spelt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.http_protocol import HttpProtocol
from tests.conformance.narrow.spots import Came
from tests.mockserver.live_server import running

ANSWER = json.dumps({"error": {"message": "it failed", "type": "server_error"}}).encode()


class Spelling(HttpProtocol):
    """Keeps header names as they came, too: `spelt` in the scope."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["spelt"] = []  # type: ignore[typeddict-unknown-key]  # ours

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self.scope["spelt"].append(name.decode("latin-1"))  # type: ignore[typeddict-item]  # ours


class Narrow:
    """Answers requests of one form with status 500 and passes all others on."""

    def __init__(self, app: ASGIApp, bites: Callable[[Came], object], path: str) -> None:
        self._app, self._bites, self._path = app, bites, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        spelt = tuple(scope.get("spelt", ()))
        if self._bites(Came(scope["path"], headers, body, spelt)):
            head = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
            await send({"type": "http.response.start", "status": 500, "headers": head})
            await send({"type": "http.response.body", "body": ANSWER})
            return
        sent = False

        async def replayed() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replayed, send)


@contextmanager
def narrow(bites: Callable[[Came], object], path: str) -> Iterator[str]:
    """Serves until left; gives the URL."""
    engine = SyntheticEngine(Pacing(first=0.0, step=0.003))
    with running(Narrow(create_app(engine, ServerSettings()), bites, path), http=Spelling) as url:
        yield url
