"""The mock server with alterations around the honest one: any set of them, chosen for each request."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.hooks import HONEST, FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Cancelled, Engine, GenerationRequest, Picture, Step
from local_dream_mockserver.server.events import Event
from local_dream_mockserver.server.generate import GenerateEndpoint
from local_dream_mockserver.server.generation import Generation
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleEndpoint, UpscaleRequest

KEY = "mockserver.alteration"

Choose: TypeAlias = Callable[[Scope], FaultHooks]
"""The alteration for a request, by its ASGI scope (method, path, headers)."""


def create_faulty_app(engine: Engine, settings: ServerSettings | None, choose: Choose) -> Starlette:
    """The honest application with `choose`'s alterations around each of its stages.

    Whole servers: `create_altered_app(engine, settings, lambda scope: alteration)`.
    """
    return create_app(
        engine,
        settings,
        doors=[Middleware(Door, choose=choose)],
        generate=AlteredGenerate,
        upscale=AlteredUpscale,
    )


class Door:
    """Chooses the alteration of each request, and lets its `door` stand around all that is inside."""

    def __init__(self, app: ASGIApp, choose: Choose) -> None:
        self.app = app
        self.choose = choose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http":
            alteration = scope[KEY] = self.choose(scope)
            app = alteration.door(app)
        await app(scope, receive, send)


class AlteredGenerate(GenerateEndpoint):
    """Each request has a copy of its own, with its alteration."""

    alteration = HONEST

    async def answer(self, request: Request) -> Response:
        own = copy.copy(self)
        own.alteration = request.scope[KEY]
        return await GenerateEndpoint.answer(own, request)

    def read(self, body: bytes) -> GenerationRequest:
        return self.alteration.read(body, super().read)

    def begin(self, asked: GenerationRequest) -> Generation:
        self.asked = asked
        engine = Told(self.engine, self.alteration)
        return Generation(engine, asked, self.worker, self.settings.lag_while_wanted)

    async def encoded(self, events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
        messages = self.alteration.messages(_messages(events), self.asked)
        async for piece in self.alteration.pieces(_pieces(messages), self.asked):
            yield piece


async def _messages(events: AsyncIterator[Event]) -> AsyncIterator[Message]:
    async for event in events:
        yield Message.of(event)


async def _pieces(messages: AsyncIterator[Message]) -> AsyncIterator[bytes]:
    async for message in messages:
        yield message.encoded()


@dataclass(frozen=True, slots=True)
class Told:
    """An engine that is told something else than what was asked, or does it otherwise. Only `generate` is called."""

    engine: Engine
    alteration: FaultHooks

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        return self.alteration.works(self.engine, self.alteration.asked(request), cancelled)


class AlteredUpscale(UpscaleEndpoint):
    """Each request has a copy of its own, with its alteration."""

    alteration = HONEST

    async def answer(self, request: Request) -> Response:
        own = copy.copy(self)
        own.alteration = request.scope[KEY]
        return await UpscaleEndpoint.answer(own, request)

    def read(self, headers: Headers) -> UpscaleRequest:
        self.asked = super().read(headers)
        return self.asked

    def response(self, answer: UpscaleAnswer) -> Response:
        return super().response(self.alteration.upscaled(answer, self.asked))
