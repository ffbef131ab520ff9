"""Faults of what comes while a generation runs, as functions. Functions may leave out arguments at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar, Unpack

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest

F = TypeVar("F", bound=Callable[..., Any])
Function = Callable[..., Any]


class Running(FaultHooks):
    """Knows how many streams of events have begun and not ended."""

    def __init__(self, place: Trigger | None, function: Function) -> None:
        super().__init__(place)
        self._function = function
        self._streams = 0

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        self._streams += 1
        try:
            async for message in messages:
                yield message
        finally:
            self._streams -= 1

    def running(self) -> bool:
        """Whether a generation runs."""
        return self._streams > 0


class Second(Running):
    """Refuses a second generation."""

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if not self.running():
            return request
        self.happened()
        raise called(self._function, request)


class HealthMeanwhile(Running):
    """Answers GET /health late, or in another way."""

    def door(self, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            reply = None
            if scope["path"] == "/health" and self.running():
                self.happened()
                reply = await called(self._function, self.running)
            await (reply.send(send) if reply else app(scope, receive, send))

        return around


def second(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(request) -> APIError`: how a generation is refused that is asked for while another one runs."""
    return lambda function: declare(function, ids, options, Second, Layer.REQUEST)


def health(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`async (running) -> Reply`: what /health is answered while a generation runs, or None for the honest answer.

    `running()` says whether one still runs.
    """
    return lambda function: declare(function, ids, options, HealthMeanwhile, Layer.REQUEST)
