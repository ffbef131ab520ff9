"""The application: the routes of the API, and what stands around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockserver.a1111.adapter import Adapter
from mockserver.engine import Engine
from mockserver.extensions.catalogue import extensions_of
from mockserver.generate import GenerateEndpoint
from mockserver.lane import Lane
from mockserver.problem import Problem, answer_http_exception, answer_problem
from mockserver.safety_net import SafetyNet
from mockserver.settings import ServerSettings
from mockserver.upscale import UpscaleEndpoint


async def health(request: Request) -> Response:
    """GET and HEAD /health: 200 while the server runs; the body has no meaning."""
    return Response()


def create_app(
    engine: Engine,
    settings: ServerSettings | None = None,
    *,
    doors: Sequence[Middleware] = (),
    generate: type[GenerateEndpoint] = GenerateEndpoint,
    upscale: type[UpscaleEndpoint] = UpscaleEndpoint,
) -> Starlette:
    """A server for `engine`. `doors` stand before the routes, the first outermost; `generate` and `upscale` may be
    endpoints that replace stages of the honest ones."""
    settings = settings or ServerSettings()
    generations = Lane("generate", 0 if settings.busy else settings.max_waiting)
    upscales = Lane("upscale", settings.max_waiting)

    extensions = extensions_of(engine, settings, generations)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        generations.close()
        upscales.close()

    routes = [
        Route("/health", health, methods=["GET"]),
        Route("/upscale", upscale(engine, upscales, settings).answer, methods=["POST"]),
    ]
    if settings.generate:
        routes.append(Route("/generate", generate(engine, generations, settings, extensions).answer, methods=["POST"]))
    for extension in extensions:
        routes += extension.routes()
    if settings.a1111 and settings.generate:
        routes += Adapter(engine, settings, generations).routes()
    inner = [door for extension in extensions for door in extension.doors()]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(SafetyNet), *doors, *inner],
        exception_handlers={Problem: answer_problem, HTTPException: answer_http_exception},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app
