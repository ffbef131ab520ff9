"""The application: the routes of the API, and what stands around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from local_dream_mockserver.server.a1111.adapter import Adapter
from local_dream_mockserver.server.access import HostGuard, TokenGuard
from local_dream_mockserver.server.application import Application
from local_dream_mockserver.server.body_budget import BodyBudget
from local_dream_mockserver.server.client_address import ClientAddress
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Closes, Engine, WorksInParallel
from local_dream_mockserver.server.error_middleware import ErrorMiddleware
from local_dream_mockserver.server.errors import APIError, answer_api_error, answer_http_exception
from local_dream_mockserver.server.extensions.catalogue import extensions_of
from local_dream_mockserver.server.extensions.remote_control import ControlApi, ControlPort, RemoteControl
from local_dream_mockserver.server.generate import GenerateEndpoint
from local_dream_mockserver.server.health import METHODS, PATH, HealthDoor, Healthy
from local_dream_mockserver.server.page.door import PageDoor
from local_dream_mockserver.server.upscale import UpscaleEndpoint
from local_dream_mockserver.server.worker import Worker


def create_app(
    engine: Engine,
    settings: ServerSettings | None = None,
    *,
    middleware: Sequence[Middleware] = (),
    generate: type[GenerateEndpoint] = GenerateEndpoint,
    upscale: type[UpscaleEndpoint] = UpscaleEndpoint,
) -> Starlette:
    """A server for `engine`. `middleware` stand before the routes, the first outermost; `generate` and `upscale` may be
    endpoints that replace stages of the honest ones."""
    settings = settings or ServerSettings()
    at_once = engine.at_once if isinstance(engine, WorksInParallel) else 1
    generations = Worker("generate", 0 if settings.busy else settings.max_waiting, at_once)
    upscales = Worker("upscale", settings.max_waiting, at_once)

    extensions = extensions_of(engine, settings, generations)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        generations.close()
        upscales.close()
        if isinstance(engine, Closes):
            engine.close()

    routes = [
        Route(PATH, Healthy(), methods=METHODS),
        Route("/upscale", upscale(engine, upscales, settings).answer, methods=["POST"]),
    ]
    if settings.generate:
        routes.append(Route("/generate", generate(engine, generations, settings, extensions).answer, methods=["POST"]))
    for extension in extensions:
        routes += extension.routes()
    if settings.a1111 and settings.generate:
        routes += Adapter(engine, settings, generations, upscales).routes()
    shared = [wrap for extension in extensions for wrap in extension.middleware()]
    inner = list(shared)
    if settings.token is not None:
        inner.append(Middleware(TokenGuard, token=settings.token))  # within cors: pages may read the refusal
    outer = [
        Middleware(ErrorMiddleware),
        Middleware(ClientAddress),
        Middleware(BodyBudget, most=max(settings.max_bodies, settings.max_body)),
    ]
    if settings.hosts is not None:
        outer.append(Middleware(HostGuard, hosts=settings.hosts, foreign_origins=settings.foreign_origins))
    if settings.control_port is not None:
        remote = RemoteControl(engine, settings)
        outer.append(Middleware(ControlPort, remote=remote, port=settings.control_port))
        inner.insert(0, Middleware(ControlApi, settings=settings))
    if settings.page:
        outer.append(Middleware(PageDoor, engine=engine, settings=settings, around=shared))
    app = Application(
        routes=routes,
        middleware=[*outer, *middleware, *inner, Middleware(HealthDoor)],
        exception_handlers={APIError: answer_api_error, HTTPException: answer_http_exception},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app
