"""The mock server with hooks around the honest one: any set of them, chosen for each request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.hooks import HONEST, FaultHooks, Works
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Cancelled, Engine, GenerationRequest, Rgb
from local_dream_mockserver.server.events import Event
from local_dream_mockserver.server.generate import GenerateEndpoint
from local_dream_mockserver.server.generation import Generation
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleEndpoint, UpscaleRequest

KEY = "mockserver.hooks"

Choose: TypeAlias = Callable[[Scope], FaultHooks]
"""The hooks for a request, by its ASGI scope (method, path, headers)."""


def create_faulty_app(engine: Engine, settings: ServerSettings | None, choose: Choose) -> Starlette:
    """The honest application with the hooks that `choose` gives around each of its stages.

    Whole servers: `create_faulty_app(engine, settings, lambda scope: hooks)`.
    """
    return create_app(
        engine,
        settings,
        middleware=[Middleware(HooksMiddleware, choose=choose)],
        generate=FaultyGenerate,
        upscale=FaultyUpscale,
    )


class HooksMiddleware:
    """Chooses the hooks of each request, and lets its `wrap` stand around all that is inside."""

    def __init__(self, app: ASGIApp, choose: Choose) -> None:
        self.app = app
        self.choose = choose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http":
            scope.setdefault("state", {})  # one for all copies of the scope: see `middleware.refusal_of`
            hooks = scope[KEY] = self.choose(scope)
            app = hooks.wrap(app)
        await app(scope, receive, send)


def hooks_of(request: Request) -> FaultHooks:
    """The hooks that were chosen for a request."""
    hooks = request.scope[KEY]
    assert isinstance(hooks, FaultHooks)
    return hooks


class FaultyGenerate(GenerateEndpoint):
    """Each stage goes through the hooks of its request."""

    def read(self, body: bytes, request: Request) -> GenerationRequest:
        return hooks_of(request).read(body, self.reader.read)

    def begin(self, asked: GenerationRequest, request: Request) -> Generation:
        hooks = hooks_of(request)
        engine = Works(lambda told, cancelled: hooks.works(self.engine, hooks.asked(told), cancelled))
        return Generation(engine, asked, self.worker, self.settings.lag_while_wanted)

    def encoded(self, events: AsyncIterator[Event], asked: GenerationRequest, request: Request) -> AsyncIterator[bytes]:
        hooks = hooks_of(request)
        if hooks is HONEST:
            return super().encoded(events, asked, request)
        messages = hooks.messages((Message.of(event) async for event in events), asked)
        return hooks.pieces((message.encoded() async for message in messages), asked)


class FaultyUpscale(UpscaleEndpoint):
    """Its work and its answer go through the hooks of its request."""

    def work(self, rgb: Rgb, upscaler: str, use_opencl: bool, cancelled: Cancelled, request: Request) -> UpscaleAnswer:
        honest = partial(super().work, rgb, upscaler, use_opencl, cancelled, request)
        return hooks_of(request).enlarges(honest, cancelled)

    def response(self, answer: UpscaleAnswer, asked: UpscaleRequest, request: Request) -> Response:
        return super().response(hooks_of(request).upscaled(answer, asked), asked, request)
