"""Faults of /health, and of paths and methods that the API does not have."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.middleware import ReplaceResponse, Reply, RequestMiddleware, RewriteResponse
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.errors import APIError

REQUEST = Layer.REQUEST
PAGE = Reply.of(200, "text/html", b"<!doctype html><title>Local Dream</title>")


def refusal(status: int, message: str, *headers: tuple[bytes, bytes]) -> Reply:
    """An answer with the error envelope."""
    return Reply.of(status, "application/json", APIError(status, message).body(), *headers)


class Health(RewriteResponse):
    """Answers GET and HEAD /health with something else; pages may read that too."""

    statuses: tuple[int, ...] = (200,)

    paths: tuple[str, ...] = ("/health",)
    methods: tuple[str, ...] = ("GET", "HEAD")

    def __init__(self, place: Trigger | None, answer: Reply) -> None:
        super().__init__(place)
        self.answer = answer

    def rewritten(self, reply: Reply, scope: Scope) -> Reply:
        return self.answer


class Credentials(ReplaceResponse):
    """Asks strangers for credentials at /health."""

    paths: tuple[str, ...] = ("/health",)

    def __init__(self, place: Trigger | None, answer: Reply) -> None:
        super().__init__(place)
        self.answer = answer

    def reply(self, scope: Scope) -> Reply | None:
        known = any(name == b"authorization" for name, _ in scope["headers"])
        return None if known else self.answer


fault(
    "health-401-to-strangers",
    "GET /health without an Authorization header is answered with status 401.",
    layer=REQUEST,
    breaks=("HLT-02",),
)(partial(Credentials, answer=refusal(401, "who are you?", (b"www-authenticate", b"Bearer"))))
fault(
    "health-sends-strangers-away",
    "GET /health without an Authorization header is answered with a redirect.",
    layer=REQUEST,
    breaks=("HLT-02",),
)(partial(Credentials, answer=Reply(302, ((b"location", b"/login"),))))


class WhileGenerating(RequestMiddleware, ABC):
    """Knows whether a generation runs when /health is asked for."""

    def __init__(self, place: Trigger | None = None) -> None:
        super().__init__(place)
        self.running = 0

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/generate":
            await self.generating(app, scope, receive, send)
            return
        if scope["path"] == "/health" and self.running:
            self.happened()
            if not await self.meanwhile(send):
                return
        await app(scope, receive, send)

    async def generating(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts it as running until its last byte is about to be sent, or its client has gone."""
        self.running += 1
        counted = True

        async def sending(message: AsgiMessage) -> None:
            nonlocal counted
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self.running -= counted
                counted = False
            await send(message)

        try:
            await app(scope, receive, sending)
        finally:
            self.running -= counted

    @abstractmethod
    async def meanwhile(self, send: Send) -> bool:
        """What becomes of /health; False where it is answered."""


@fault(
    "health-waits",
    "GET /health is answered only when no generation runs.",
    layer=REQUEST,
    breaks=("HLT-03",),
)
class HealthWaits(WhileGenerating):
    async def meanwhile(self, send: Send) -> bool:
        while self.running:
            await asyncio.sleep(0.01)
        return True


@fault(
    "health-busy",
    "GET /health is answered with status 503 while a generation runs.",
    layer=REQUEST,
    breaks=("HLT-03",),
)
class HealthBusy(WhileGenerating):
    async def meanwhile(self, send: Send) -> bool:
        await refusal(503, "busy").send(send)
        return False


class NotFound(RewriteResponse):
    """Answers something else for paths that the API does not have."""

    statuses: tuple[int, ...] = (404,)

    def __init__(self, place: Trigger | None, answer: Reply) -> None:
        super().__init__(place)
        self.answer = answer

    def wants(self, scope: Scope) -> bool:
        return super().wants(scope) and scope["path"] not in ("/health", "/generate", "/upscale")

    def rewritten(self, reply: Reply, scope: Scope) -> Reply:
        return self.answer


fault(
    "every-path-is-found",
    "Every path that the API does not have is answered with a web page.",
    layer=REQUEST,
    breaks=("SRV-01",),
)(partial(NotFound, answer=PAGE))
fault(
    "unknown-path-400",
    "A path that the API does not have is answered with status 400.",
    layer=REQUEST,
    breaks=("SRV-01",),
)(partial(NotFound, answer=refusal(400, "no such path")))


class WrongMethod(RewriteResponse):
    """Answers something else for methods that a path does not have."""

    statuses: tuple[int, ...] = (405,)

    def __init__(self, place: Trigger | None, answer: Reply) -> None:
        super().__init__(place)
        self.answer = answer

    def rewritten(self, reply: Reply, scope: Scope) -> Reply:
        return self.answer


fault(
    "get-shows-a-page",
    "A method that a path does not have is answered with a web page.",
    layer=REQUEST,
    breaks=("SRV-02",),
)(partial(WrongMethod, answer=PAGE))
fault(
    "wrong-method-500",
    "A method that a path does not have is answered with status 500.",
    layer=REQUEST,
    breaks=("SRV-02",),
)(partial(WrongMethod, answer=refusal(500, "no such method")))
