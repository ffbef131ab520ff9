"""The outermost door of the mock: writes every request into the journal, and when its client leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.mock.request_log import Request, RequestLog
from local_dream_mockserver.mock.request_side import breaches_of
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.extensions.remote_control import remote_of
from local_dream_mockserver.server.generate import AT_ONCE

KEY = "mockserver.request"
"""Where the scope has the journal's request."""


class Recorded:
    """Reads the body before the application does, so that it is kept even where the answer does not depend on it."""

    def __init__(self, app: ASGIApp, journal: RequestLog, settings: ServerSettings) -> None:
        self.app = app
        self.journal = journal
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(raw=list(scope["headers"]))
        query = scope["query_string"].decode("latin-1")
        request = self.journal.begin(scope["method"], scope["path"], query, headers)
        scope[KEY] = request
        visit = Visit(request, receive, send)
        try:
            await self._read(request, visit, judged=remote_of(scope) is None)
            await self.app(scope, visit.receive, visit.send)
        finally:
            if not request.held:
                request.end()

    async def _read(self, request: Request, visit: Visit, *, judged: bool) -> None:
        """Reads its body and, where it is `judged`, what a client cannot count on in it."""
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self.settings.max_body:
            return  # refused before a byte of it is read
        if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
            visit.has_no_body()
            whole = True
        else:
            whole = await visit.read_ahead(self.settings.max_body, self.settings.body_idle, self.settings.body_whole)
        self.journal.keep(request, visit.body, whole)
        if whole and judged:
            asked = (request.method, request.path, request.headers, visit.body)
            if len(visit.body) <= AT_ONCE:
                found = breaches_of(*asked)
            else:
                found = await run_in_threadpool(breaches_of, *asked)
            request.breaches = tuple(replace(breach, request=request.number) for breach in found)


class Visit:
    """One request on its way in, and its answer on its way out."""

    def __init__(self, request: Request, receive: Receive, send: Send) -> None:
        self._request = request
        self._receive = receive
        self._send = send
        self._ahead: list[Message] = []
        self._tail = b""
        self._sent = False
        self.body = b""

    def has_no_body(self) -> None:
        """Its head says so, and nothing is to be read."""
        self._ahead.append({"type": "http.request", "body": b"", "more_body": False})

    async def read_ahead(self, most: int, idle: float, longest: float) -> bool:
        """Reads the body into `body`; whether all of it came, within `most` bytes and `longest` s, and without pausing
        for `idle` s."""
        body = bytearray()
        whole = left = False
        until = asyncio.get_running_loop().time() + longest
        while len(body) <= most and not whole and not left:
            try:
                async with asyncio.timeout(min(idle, until - asyncio.get_running_loop().time())):
                    message = await self._received()
            except TimeoutError:
                break
            body += message.get("body", b"")
            left = message["type"] == "http.disconnect"
            whole = not left and not message.get("more_body", False)
        self.body = bytes(body)
        if body or whole:
            self._ahead.append({"type": "http.request", "body": self.body, "more_body": not whole})
        if left:
            self._ahead.append({"type": "http.disconnect"})
        return whole

    async def receive(self) -> Message:
        return self._ahead.pop(0) if self._ahead else await self._received()

    async def send(self, message: Message) -> None:
        request = self._request
        if message["type"] == "http.response.start":
            request.status = message["status"]
        else:
            piece = message.get("body", b"")
            joint = self._tail + piece
            request.sends(len(piece), joint.count(b"\n\n"))
            self._tail = piece[-1:] if piece and not piece.endswith(b"\n\n") else b""
            if not message.get("more_body", False):
                self._sent = True
                if not request.held:
                    request.end()  # before the client can know, so that it finds it over
        await self._send(message)

    async def _received(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self._sent:
            self._request.end(left=True)
        return message
