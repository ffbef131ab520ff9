"""What can be done around the whole application: answers in its place, other heads, other bodies."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.server.errors import APIError

Header = tuple[bytes, bytes]
STREAM = b"text/event-stream"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. Names of headers in lower case."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    @classmethod
    def of_json(cls, status: int, value: Any, *headers: Header) -> Reply:
        return cls.of(status, "application/json", json.dumps(value).encode(), *headers)

    @classmethod
    def of(cls, status: int, kind: str, body: bytes, *headers: Header) -> Reply:
        """An answer with a media type."""
        return cls(status, ((b"content-type", kind.encode()), *headers), body)

    @classmethod
    def of_error(cls, status: int, message: str, *headers: Header) -> Reply:
        """An answer with the error envelope."""
        return cls.of(status, "application/json", APIError(status, message).body(), *headers)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def without(self, *names: bytes) -> Reply:
        return replace(self, headers=without(self.headers, *names))

    def plus(self, *headers: Header) -> Reply:
        return replace(self, headers=self.headers + headers)

    async def send(self, send: Send) -> None:
        """Sends it with the length of its body, unless a header says another."""
        headers = list(self.headers)
        if not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def without(headers: Sequence[Header], *names: bytes) -> tuple[Header, ...]:
    return tuple(header for header in headers if header[0] not in names)


def value_of(headers: Sequence[Header], name: bytes) -> bytes:
    """The first value, b"" where there is none."""
    return next((value for key, value in headers if key == name), b"")


def refusal_of(scope: Scope) -> APIError | None:
    """Why the application has refused the request, None where it has not."""
    refusal = scope.get("state", {}).get("refusal")
    return refusal if isinstance(refusal, APIError) else None


async def body_of(receive: Receive) -> bytes:
    """The body of a request, as far as it comes."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(body)
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, then what follows it."""
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


async def reply_of(app: ASGIApp, scope: Scope, body: bytes) -> Reply:
    """What the application answers to the request with another body."""
    head: Message = {}
    answered = bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
        else:
            answered.extend(message.get("body", b""))

    headers = [header for header in scope["headers"] if header[0] not in (b"content-length", b"content-encoding")]
    await app({**scope, "headers": headers}, receive, send)
    return Reply(head["status"], tuple(map(_lowered, head["headers"])), bytes(answered))


class RequestMiddleware(FaultHooks):
    """Sees every request of its paths and methods (none: all) before the application does."""

    paths: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            if self.wants(scope):
                await self.visit(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return around

    def wants(self, scope: Scope) -> bool:
        """Whether the request is one that it looks at."""
        fits = (not self.paths or scope["path"] in self.paths) and (not self.methods or scope["method"] in self.methods)
        return scope["type"] == "http" and fits

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles the request."""
        await app(scope, receive, send)


class ReplaceResponse(RequestMiddleware, ABC):
    """Answers in the application's place, where `reply` has an answer."""

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        reply = self.reply(scope)
        if reply is None:
            await app(scope, receive, send)
            return
        if value_of(scope["headers"], b"expect") == b"":  # reading asks a client that waits for 100 to send it
            await body_of(receive)
        self.happened()
        await reply.send(send)

    @abstractmethod
    def reply(self, scope: Scope) -> Reply | None:
        """The answer, or None for the honest one."""


class RewriteResponse(RequestMiddleware, ABC):
    """Answers something else than the application did, for the statuses that it looks at. Streams are left alone."""

    statuses: tuple[int, ...] = (400,)

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        head: Message = {}
        asked, body = bytearray(), bytearray()

        async def receiving() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                streams = value_of(message["headers"], b"content-type").startswith(STREAM)
                if message["status"] not in self.statuses or streams:
                    await send(message)
                    return
                head = message
                return
            if not head:
                await send(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                headers = without(tuple(map(_lowered, head["headers"])), b"content-length")
                honest = Reply(head["status"], headers, bytes(body))
                reply = self.rewritten(honest, bytes(asked), scope)
                if reply != honest:
                    self.happened()
                await reply.plus(*_for_other_origins(honest, reply)).send(send)

        await app(scope, receiving, sending)

    @abstractmethod
    def rewritten(self, reply: Reply, body: bytes, scope: Scope) -> Reply:
        """The answer that is sent. `reply` has no Content-Length, `body` is the request's as far as it was read."""


class RewriteHeaders(RequestMiddleware, ABC):
    """Sends other heads; bodies stay as they are. By default those of event streams."""

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = tuple(map(_lowered, message["headers"]))
                if self.concerns(message["status"], headers):
                    status, other = self.headed(message["status"], headers, scope)
                    if (status, other) != (message["status"], headers):
                        self.happened()
                    message = {**message, "status": status, "headers": list(other)}
            await send(message)

        await app(scope, receive, sending)

    def concerns(self, status: int, headers: Sequence[Header]) -> bool:
        """Whether an answer is one whose head is changed."""
        return value_of(headers, b"content-type").startswith(STREAM)

    @abstractmethod
    def headed(self, status: int, headers: tuple[Header, ...], scope: Scope) -> tuple[int, tuple[Header, ...]]:
        """Status and headers that are sent."""


def _for_other_origins(honest: Reply, reply: Reply) -> tuple[Header, ...]:
    """The headers that let pages of other origins read an answer, where the other one lacks them."""
    known = {name for name, _ in reply.headers}
    return tuple(h for h in honest.headers if h[0].startswith((b"access-control-", b"vary")) and h[0] not in known)


def _lowered(header: Header) -> Header:
    return header[0].lower(), header[1]
