"""Faults of what comes while a generation runs, as functions. Functions may leave out arguments at the end."""

from __future__ import annotations

from typing import Unpack

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Decorator, Function, Options, called, declare
from local_dream_mockserver.faults.effects.events import Messages
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError


class Overlap(FaultHooks):
    """Knows how many streams of events have begun and not ended, and which request was read last."""

    def __init__(self, place: Trigger | None, function: Function) -> None:
        super().__init__(place)
        self.latest: GenerationRequest | None = None
        self.function = function
        self._streams = 0

    def running(self) -> bool:
        """Whether a generation runs."""
        return self._streams > 0

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        self.latest = honest(body)
        return self.latest

    async def messages(self, messages: Messages, request: GenerationRequest) -> Messages:
        self._streams += 1
        try:
            async for message in messages:
                yield message
        finally:
            self._streams -= 1


def second(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(request) -> APIError`: how a generation is refused that is asked for while another one runs.

    None lets it wait for its turn, as the honest server does, and counts a hit all the same.
    """

    class Second(Overlap):
        def read(self, body: bytes, honest: Reader) -> GenerationRequest:
            request = super().read(body, honest)
            if self.running():
                self.happened()
                refusal: APIError | None = called(self.function, request)
                if refusal:
                    raise refusal
            return request

    return lambda function: declare(function, ids, options, Second, Layer.REQUEST)


def health(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`async (running) -> Reply`: what /health is answered while a generation runs, or None for the honest answer.

    `running()` says whether one still runs.
    """

    class HealthMeanwhile(Overlap):
        def wrap(self, app: ASGIApp) -> ASGIApp:
            async def around(scope: Scope, receive: Receive, send: Send) -> None:
                reply = None
                if scope["path"] == "/health" and self.running():
                    self.happened()
                    reply = await called(self.function, self.running)
                await (reply.send(send) if reply else app(scope, receive, send))

            return around

    return lambda function: declare(function, ids, options, HealthMeanwhile, Layer.REQUEST)


def overtaken(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`async (messages, request, latest) -> messages`: an async generator over the events of a generation.

    `latest()` is the request that was taken last, be it this one.
    """

    class Overtaken(Overlap):
        async def messages(self, messages: Messages, request: GenerationRequest) -> Messages:
            honest: Message | None = None

            async def coming() -> Messages:
                nonlocal honest
                async for honest in messages:
                    yield honest

            async for message in called(self.function, coming(), request, lambda: self.latest):
                if message is not honest:
                    self.happened()
                yield message

    return lambda function: declare(function, ids, options, Overtaken, Layer.REQUEST)
