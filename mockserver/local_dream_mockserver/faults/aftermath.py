"""Faults of what comes after a request that a server could not stomach: refusals, deep JSON, long prompts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.middleware import RequestMiddleware, body_of, refusal_of, replayed
from local_dream_mockserver.faults.refusals import Streamed
from local_dream_mockserver.faults.server import refusal as answer_of
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.upscale import WIDTH

REQUEST = Layer.REQUEST


class HealthEnds(RequestMiddleware):
    """Loses /health after a refusal for this reason, and of one of these fields (none: of any)."""

    def __init__(self, place: Trigger | None, code: Code, *fields: str) -> None:
        super().__init__(place)
        self.code = code
        self.fields = fields
        self.wounded = False

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if self.wounded and scope["path"] == "/health":
            self.happened()
            await answer_of(500, "out of order").send(send)
            return

        async def sending(message: AsgiMessage) -> None:
            refusal = refusal_of(scope)
            if refusal and refusal.code is self.code and (not self.fields or refusal.field in self.fields):
                self.wounded = True
            await send(message)

        await app(scope, receive, sending)


fault(
    "refusal-ends-health",
    "After a field of a wrong type GET /health is answered with status 500.",
    layer=REQUEST,
    breaks=("ERR-05",),
)(lambda place: HealthEnds(place, Code.WRONG_TYPE))
fault(
    "upscale-refusal-ends-health",
    "After an upscale with a width that is no number GET /health is answered with status 500.",
    layer=REQUEST,
    breaks=("ERR-05",),
)(lambda place: HealthEnds(place, Code.WRONG_FORM, WIDTH))


class SpoilsTheNext(FaultHooks):
    """The next valid request after one with a field of a wrong type does not work."""

    def __init__(self, place: Trigger | None, answer: APIError) -> None:
        super().__init__(place)
        self.answer = answer
        self.wounded = False

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            request = honest(body)
        except APIError as problem:
            self.wounded = self.wounded or problem.code is Code.WRONG_TYPE
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
)(partial(SpoilsTheNext, answer=APIError(500, "the engine is in a bad state")))
fault(
    "refusal-keeps-the-lock",
    "The first generation after a field of a wrong type ends with an error event.",
    layer=REQUEST,
    breaks=("ERR-06",),
)(partial(SpoilsTheNext, answer=Streamed("the engine is locked")))


class Dies(RequestMiddleware):
    """Loses /health to a request."""

    def __init__(self, place: Trigger | None, deadly: Callable[[bytes], bool]) -> None:
        super().__init__(place)
        self.deadly = deadly
        self.dead = False

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if self.dead and scope["path"] == "/health":
            self.happened()
            await answer_of(500, "out of order").send(send)
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
)(partial(Dies, deadly=lambda body: b"[" * 1000 in body))
fault(
    "long-prompt-ends-health",
    "After a prompt of a megabyte GET /health is answered with status 500.",
    layer=REQUEST,
    breaks=("ROB-10",),
)(partial(Dies, deadly=lambda body: len(body) > 1_000_000 and b'"image"' not in body))
