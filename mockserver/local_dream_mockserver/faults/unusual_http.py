"""Faults of how HTTP itself is spoken: bodies in chunks, Expect, connections that are kept alive, garbage."""

from __future__ import annotations

from functools import partial

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.middleware import Reply, RequestMiddleware, body_of, replayed
from local_dream_mockserver.faults.server import refusal
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.http_protocol import HttpProtocol

REQUEST = Layer.REQUEST


class ChunkedBodies(RequestMiddleware):
    """Wants the length of a body beforehand."""

    methods: tuple[str, ...] = ("POST",)

    def __init__(self, place: Trigger | None, answer: Reply | None) -> None:
        super().__init__(place)
        self.answer = answer

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if "chunked" not in Headers(scope=scope).get("transfer-encoding", ""):
            await app(scope, receive, send)
            return
        self.happened()
        await body_of(receive)
        if self.answer is None:
            await app(scope, replayed(b"", receive), send)
        else:
            await self.answer.send(send)


fault(
    "chunked-bodies-refused",
    "A body in chunked transfer coding is refused with status 411.",
    layer=REQUEST,
    breaks=("ROB-05",),
)(partial(ChunkedBodies, answer=refusal(411, "Content-Length: missing")))
fault(
    "chunked-bodies-unread",
    "A body in chunked transfer coding is not read.",
    layer=REQUEST,
    breaks=("ROB-05",),
)(partial(ChunkedBodies, answer=None))


class Expecting(RequestMiddleware):
    """Does not know Expect: 100-continue."""

    def __init__(self, place: Trigger | None, status: int) -> None:
        super().__init__(place)
        self.status = status

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if "expect" not in Headers(scope=scope):
            await app(scope, receive, send)
            return
        self.happened()
        if self.status == 417:
            await refusal(417, "Expect: cannot be met").plus((b"connection", b"close")).send(send)
        else:
            await app(scope, replayed(b"", receive), send)


fault(
    "expect-refused",
    "A request with Expect: 100-continue is refused with status 417.",
    layer=REQUEST,
    breaks=("ROB-06",),
)(partial(Expecting, status=417))
fault(
    "expect-loses-the-body",
    "The body of a request with Expect: 100-continue is not read.",
    layer=REQUEST,
    breaks=("ROB-06",),
)(partial(Expecting, status=400))


class KeptAlive(RequestMiddleware):
    """Goes wrong on connections that have carried an error answer."""

    def __init__(self, place: Trigger | None, poisoned: bool) -> None:
        super().__init__(place)
        self.poisoned = poisoned
        self.client: tuple[str, int] | None = None
        self.last: Reply | None = None

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if self.client != tuple(scope["client"]):
            self.client, self.last = tuple(scope["client"]), None
        if self.last is not None:
            await body_of(receive)
            self.happened()
            await self.last.send(send)
            return
        head: AsgiMessage = {}
        body = bytearray()

        async def sending(message: AsgiMessage) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                head = message
            elif head["status"] >= 400:
                body.extend(message.get("body", b""))
                honest = Reply(head["status"], tuple(head["headers"]), bytes(body))
                self.last = refusal(500, "the connection is in a bad state") if self.poisoned else honest
            await send(message)

        await app(scope, receive, sending)


fault(
    "answers-lag-behind",
    "On a connection that is kept alive the answers after an error are that error again.",
    layer=REQUEST,
    breaks=("ROB-07",),
)(partial(KeptAlive, poisoned=False))
fault(
    "errors-poison-connections",
    "On a connection that is kept alive the requests after an error are answered with status 500.",
    layer=REQUEST,
    breaks=("ROB-07",),
)(partial(KeptAlive, poisoned=True))


class Obliging(HttpProtocol):
    """Answers bytes that are not HTTP as if they were a request for /health."""

    alteration: FaultHooks

    def send_400_response(self, msg: str) -> None:
        self.alteration.happened()
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


@fault(
    "garbage-gets-200",
    "Bytes that are not HTTP get status 200.",
    layer=REQUEST,
    breaks=("ROB-09",),
)
class GarbageGets200(FaultHooks):
    def __init__(self, place: Trigger | None = None) -> None:
        super().__init__(place)
        self.http = type("Counted", (Obliging,), {"alteration": self})
