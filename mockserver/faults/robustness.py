"""Faults of what a server does meanwhile and afterwards: overlapping clients, hang-ups, refusals, unusual HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import ClassVar

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from mockserver.engine import Cancelled, GenerationRequest, Picture, Step
from mockserver.faults.alteration import Alteration, Reader
from mockserver.faults.bodies import WRONG_TYPE
from mockserver.faults.catalogue import Layer, fault
from mockserver.faults.door import Doorway, Reply, body_of, replayed
from mockserver.faults.message import Message
from mockserver.faults.place import Place
from mockserver.faults.refusals import Streamed
from mockserver.faults.request_types import out_of_range
from mockserver.faults.server import refusal
from mockserver.generation import Generates
from mockserver.http_protocol import HttpProtocol
from mockserver.problem import Problem

REQUEST = Layer.REQUEST
IMPATIENT = {"idle-timeout": "2"}
"""For servers that never answer: the suite need not wait its usual two minutes."""


async def until_gone(receive: Receive) -> None:
    """Waits until the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Never(Response):
    """No answer at all, or one that begins and does not go on."""

    def __init__(self, begun: bytes | None, ends: bool) -> None:
        super().__init__()
        self.begun = begun
        self.ends = ends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.begun is not None:
            kind = b"text/event-stream" if not self.ends else b"application/json"
            length = [(b"content-length", b"1000")] if self.ends else []
            status = 400 if self.ends else 200
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), *length]})
            await send({"type": "http.response.body", "body": self.begun, "more_body": True})
        if not self.ends:
            await until_gone(receive)


class NoAnswer(Problem):
    """A refusal that never comes whole."""

    def __init__(self, response: Response) -> None:
        super().__init__(400, "")
        self.instead = response

    def response(self) -> Response:
        return self.instead


class OutOfRange(Alteration):
    """Does not come to an end with values out of range."""

    def __init__(self, place: Place | None, begun: bytes | None, ends: bool) -> None:
        super().__init__(place)
        self.begun = begun
        self.ends = ends

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except Problem as problem:
            if not out_of_range(problem):
                raise
            self.happened()
            raise NoAnswer(Never(self.begun, self.ends)) from None


RANGES = tuple(f"GEN-RNG-{number:02}" for number in range(2, 10))
fault(
    "out-of-range-unanswered",
    "A request with a value out of range is never answered.",
    layer=REQUEST,
    breaks=("GEN-RNG-01",),
    consequences=RANGES,
    options=IMPATIENT,
)(partial(OutOfRange, begun=None, ends=False))
fault(
    "out-of-range-breaks-off",
    "The answer to a request with a value out of range breaks off in its middle.",
    layer=REQUEST,
    breaks=("GEN-RNG-01",),
    consequences=(*RANGES, "ERR-02", "ERR-03"),
)(partial(OutOfRange, begun=b'{"error": ', ends=True))


class HealthEnds(Doorway):
    """Loses /health after a refusal whose message has these words."""

    def __init__(self, place: Place | None, words: str) -> None:
        super().__init__(place)
        self.words = words.encode()
        self.wounded = False

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if self.wounded and scope["path"] == "/health":
            self.happened()
            await refusal(500, "out of order").send(send)
            return
        refused = False

        async def sending(message: AsgiMessage) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                refused = message["status"] == 400
            elif refused and self.words in message.get("body", b""):
                self.wounded = True
            await send(message)

        await app(scope, receive, sending)


ALIVE = ("GEN-RNG-01", "ROB-03", "ROB-08", "ROB-10", "HLT-03")
"""Requirements that ask for /health at some time in the run."""
fault(
    "refusal-ends-health",
    "After a field of a wrong type GET /health is answered with status 500.",
    layer=REQUEST,
    breaks=("ERR-05",),
    consequences=ALIVE,
)(partial(HealthEnds, words="of the wrong type"))
fault(
    "upscale-refusal-ends-health",
    "After an upscale with a width that is no number GET /health is answered with status 500.",
    layer=REQUEST,
    breaks=("ERR-05",),
    consequences=("ROB-08", "ROB-10"),
)(partial(HealthEnds, words="X-Image-Width: not a whole number"))


class SpoilsTheNext(Alteration):
    """The next valid request after one with a field of a wrong type does not work."""

    def __init__(self, place: Place | None, answer: Problem) -> None:
        super().__init__(place)
        self.answer = answer
        self.wounded = False

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            request = honest(body)
        except Problem as problem:
            self.wounded = self.wounded or WRONG_TYPE in problem.message
            raise
        if not self.wounded:
            return request
        self.wounded = False
        self.happened()
        raise self.answer


fault(
    "refusal-spoils-the-next",
    "The first generation after a field of a wrong type is answered with status 500.",
    layer=REQUEST,
    breaks=("ERR-06",),
    consequences=("GEN-REQ-05",),
)(partial(SpoilsTheNext, answer=Problem(500, "the engine is in a bad state")))
fault(
    "refusal-keeps-the-lock",
    "The first generation after a field of a wrong type ends with an error event.",
    layer=REQUEST,
    breaks=("ERR-06",),
    consequences=("GEN-REQ-05",),
)(partial(SpoilsTheNext, answer=Streamed("the engine is locked")))


class Overlaps(Alteration):
    """Knows which generations run."""

    def __init__(self, place: Place | None = None) -> None:
        super().__init__(place)
        self.running: list[GenerationRequest] = []

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        self.running.append(request)
        try:
            async for message in messages:
                yield message
        finally:
            self.running = [other for other in self.running if other is not request]


class Latest(Alteration):
    """Knows which request came last."""

    def __init__(self, place: Place | None = None) -> None:
        super().__init__(place)
        self.latest: GenerationRequest | None = None

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        self.latest = honest(body)
        return self.latest


@fault(
    "overlap-stops-the-first",
    "A generation that runs when another is asked for ends with an error event.",
    layer=REQUEST,
    breaks=("ROB-01",),
    pace=0.05,
)
class StopsTheFirst(Latest):
    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            if self.latest is not request:
                self.happened()
                yield Message("error", "error", {"type": "error", "message": "another request came"})
                return
            yield message


@fault(
    "overlap-mixes-pictures",
    "A generation that runs when another is asked for ends with the other's picture: both have one state.",
    layer=REQUEST,
    breaks=("ROB-01",),
    consequences=("GEN-PIC-10",),
    pace=0.05,
)
class MixesPictures(Latest):
    def __init__(self, place: Place | None = None) -> None:
        super().__init__(place)
        self.pictures: dict[int, Message] = {}

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            if message.kind == "complete":
                self.pictures[id(request)] = message
                other = self.latest
                if other is not request and other is not None:
                    while id(other) not in self.pictures:
                        await asyncio.sleep(0.01)
                    self.happened()
                    message = message.with_(image=self.pictures[id(other)].payload["image"])
            yield message


class Busy(Overlaps):
    """Refuses a second generation while one runs in a wrong way."""

    def __init__(self, place: Place | None, answer: Problem) -> None:
        super().__init__(place)
        self.answer = answer

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if not self.running:
            return request
        self.happened()
        raise self.answer


class Bare(Problem):
    """An error answer without a body."""

    def body(self) -> bytes:
        return b""


fault(
    "overlap-refused-with-500",
    "A second generation while one runs is answered with status 500.",
    layer=REQUEST,
    breaks=("ROB-02",),
    consequences=("GEN-REQ-08", "GEN-REQ-21"),
    pace=0.05,
)(partial(Busy, answer=Problem(500, "the engine is in use")))
fault(
    "overlap-refused-bare",
    "A second generation while one runs is answered with status 503 and no envelope.",
    layer=REQUEST,
    breaks=("ROB-02",),
    pace=0.05,
)(partial(Busy, answer=Bare(503, "", {"Retry-After": "1"})))


class HungUp(Alteration):
    """Takes no image any more after a client has hung up on a stream that it had begun to read."""

    def __init__(self, place: Place | None, answer: Problem) -> None:
        super().__init__(place)
        self.answer = answer
        self.left = False

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        over = False
        try:
            async for message in messages:
                over = over or message.kind != "progress"
                yield message
        finally:
            self.left = self.left or not over

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if not self.left or request.image is None:
            return request
        self.happened()
        raise self.answer


AFTER_HANG_UP = ("GEN-REQ-20", "ROB-06")
fault(
    "hang-up-wedges",
    "After a client has hung up in mid-stream, requests with an image are never answered.",
    layer=REQUEST,
    breaks=("ROB-03",),
    consequences=AFTER_HANG_UP,
    options=IMPATIENT,
    pace=0.05,
)(partial(HungUp, answer=NoAnswer(Never(None, False))))
fault(
    "hang-up-breaks-the-engine",
    "After a client has hung up in mid-stream, requests with an image are answered with status 500.",
    layer=REQUEST,
    breaks=("ROB-03",),
    consequences=AFTER_HANG_UP,
    pace=0.05,
)(partial(HungUp, answer=Problem(500, "the engine is in a bad state")))


@fault(
    "hang-up-unnoticed",
    "A generation runs to its end although its client has gone, and the next one waits for it.",
    layer=REQUEST,
    breaks=("ROB-04",),
    pace=0.05,
)
class HangUpUnnoticed(Alteration):
    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        work = engine.generate(request, lambda: False)
        try:
            yield from _each(work)
        finally:
            if cancelled():
                self.happened()
                for _ in work:
                    pass


def _each(work: Iterator[Step | Picture]) -> Iterator[Step | Picture]:
    """The same; unlike the iterator itself it may be closed without ending the work."""
    for done in work:  # noqa: UP028  (`yield from` would close the work too)
        yield done


class ChunkedBodies(Doorway):
    """Wants the length of a body beforehand."""

    methods: ClassVar[tuple[str, ...]] = ("POST",)

    def __init__(self, place: Place | None, answer: Reply | None) -> None:
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
    consequences=("UPS-ANS-01",),
)(partial(ChunkedBodies, answer=refusal(411, "Content-Length: missing")))
fault(
    "chunked-bodies-unread",
    "A body in chunked transfer coding is not read.",
    layer=REQUEST,
    breaks=("ROB-05",),
    consequences=("UPS-ANS-01",),
)(partial(ChunkedBodies, answer=None))


class Expecting(Doorway):
    """Does not know Expect: 100-continue."""

    def __init__(self, place: Place | None, status: int) -> None:
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


class KeptAlive(Doorway):
    """Goes wrong on connections that have carried an error answer."""

    def __init__(self, place: Place | None, poisoned: bool) -> None:
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


class Dies(Doorway):
    """Loses /health to a request."""

    def __init__(self, place: Place | None, deadly: Callable[[bytes], bool]) -> None:
        super().__init__(place)
        self.deadly = deadly
        self.dead = False

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if self.dead and scope["path"] == "/health":
            self.happened()
            await refusal(500, "out of order").send(send)
            return
        if scope["path"] != "/generate":
            await app(scope, receive, send)
            return
        body = await body_of(receive)
        self.dead = self.dead or self.deadly(body)
        await app(scope, replayed(body, receive), send)


fault(
    "deep-json-ends-health",
    "After JSON that is nested thousands of levels deep GET /health is answered with status 500.",
    layer=REQUEST,
    breaks=("ROB-08",),
    consequences=("ROB-10",),
)(partial(Dies, deadly=lambda body: b"[" * 1000 in body))
fault(
    "long-prompt-ends-health",
    "After a prompt of a megabyte GET /health is answered with status 500.",
    layer=REQUEST,
    breaks=("ROB-10",),
)(partial(Dies, deadly=lambda body: len(body) > 1_000_000 and b'"image"' not in body))


@fault(
    "long-prompt-unanswered",
    "A prompt of a megabyte is never answered.",
    layer=REQUEST,
    breaks=("ROB-10",),
    options=IMPATIENT,
)
class LongPromptUnanswered(Alteration):
    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if len(request.prompt) < 500_000:
            return request
        self.happened()
        raise NoAnswer(Never(None, False))


class Obliging(HttpProtocol):
    """Answers bytes that are not HTTP as if they were a request for /health."""

    alteration: Alteration

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
class GarbageGets200(Alteration):
    def __init__(self, place: Place | None = None) -> None:
        super().__init__(place)
        self.http = type("Counted", (Obliging,), {"alteration": self})
