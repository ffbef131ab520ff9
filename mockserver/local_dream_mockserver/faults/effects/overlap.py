"""Faults of what comes while a generation runs, as functions. Functions may leave out arguments at the end."""

from __future__ import annotations

from typing import Unpack

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Decorator, Function, Options, called, compared, hooking
from local_dream_mockserver.faults.effects.events import Messages
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError


async def _counted(function: Function, self: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
    """The same events; `remembered` is how many streams have begun and not ended."""
    self.remembered = (self.remembered or 0) + 1
    try:
        async for message in came:
            yield message
    finally:
        self.remembered -= 1


def second(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(request) -> APIError`: how a generation is refused that is asked for while another one runs.

    None lets it wait for its turn, as the honest server does, and counts a hit all the same.
    """

    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if self.remembered:
            self.happened()
            refusal: APIError | None = called(function, request)
            if refusal:
                raise refusal
        return request

    return hooking(ids, options, Layer.REQUEST, read=read, messages=_counted)


def third(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(request) -> APIError`: how a generation is refused that is asked for while one runs and another one waits."""

    def wrap(function: Function, self: FaultHooks, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            of_generation = scope["path"] == "/generate"
            self.remembered = (self.remembered or 0) + of_generation
            try:
                await app(scope, receive, send)
            finally:
                self.remembered -= of_generation

        return around

    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if self.remembered > 2:
            self.happened()
            refusal: APIError = called(function, request)
            raise refusal
        return request

    return hooking(ids, options, Layer.REQUEST, wrap=wrap, read=read)


def health(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`async (running) -> Reply`: what /health is answered while a generation runs, or None for the honest answer.

    `running()` says whether one still runs.
    """

    def wrap(function: Function, self: FaultHooks, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            reply = None
            if scope["path"] == "/health" and self.remembered:
                self.happened()
                reply = await called(function, lambda: bool(self.remembered))
            await (reply.send(send) if reply else app(scope, receive, send))

        return around

    return hooking(ids, options, Layer.REQUEST, wrap=wrap, messages=_counted)


def overtaken(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`async (messages, request, latest) -> messages`: an async generator over the events of a generation.

    `latest()` is the request that was taken last, be it this one.
    """

    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        self.remembered = request = honest(body)
        return request

    def messages(function: Function, self: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
        return compared(lambda came: called(function, came, request, lambda: self.remembered), came, self.happened)

    return hooking(ids, options, Layer.REQUEST, read=read, messages=messages)
