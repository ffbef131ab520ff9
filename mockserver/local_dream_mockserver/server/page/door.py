"""The door of the page: answers the page's own paths, and lets everything else pass."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.server.access import HostGuard, TokenGuard
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Engine
from local_dream_mockserver.server.errors import APIError, Code, answer_api_error, answer_http_exception
from local_dream_mockserver.server.extensions.remote_control import remote_of
from local_dream_mockserver.server.page.editions import editions
from local_dream_mockserver.server.page.files import static_file, static_files

FOLDER = "/page/"
DOCUMENTS = {"/": "index.html", "/docs": "docs.html"}
SPEC, ABOUT, TARGET = "/openapi.json", f"{FOLDER}about.json", f"{FOLDER}pass-through"

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]


class PageDoor:
    """ASGI middleware. The files are the same for everybody and tell nothing of this server, so that they need no
    token; what the page asks of the API, and of the pass-through, does. `around` are layers that the API has, too."""

    def __init__(
        self, app: ASGIApp, engine: Engine, settings: ServerSettings, around: Sequence[Middleware] = ()
    ) -> None:
        self.app = app
        about = _about(engine, settings)
        open_to_all: dict[str, Answer] = {path: _document(name) for path, name in DOCUMENTS.items()}
        open_to_all |= {SPEC: spec, ABOUT: about}
        self._desk: ASGIApp = _application(open_to_all, around)
        self._files: ASGIApp = _application({f"{FOLDER}{{name:path}}": _file}, around)
        self._open = set(open_to_all)
        self._target: ASGIApp | None = None
        if settings.page_target is not None:
            from local_dream_mockserver.server.page.target import PassThrough  # a client of HTTP takes time to import

            passing: ASGIApp = _application({TARGET: PassThrough(settings.page_target, settings).answer}, ())
            if settings.token is not None:
                passing = TokenGuard(passing, settings.token)
            self._target = HostGuard(passing, settings.hosts or (), foreign_origins=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._for(scope)(scope, receive, send)

    def _for(self, scope: Scope) -> ASGIApp:
        path = scope["path"] if scope["type"] == "http" and remote_of(scope) is None else ""
        if path in self._open:
            return self._desk
        if path == TARGET and self._target is not None:
            return self._target
        if path.startswith(FOLDER) and path.removeprefix(FOLDER) in static_files():
            return self._files
        return self.app


async def spec(request: Request) -> Response:
    """GET /openapi.json: the contract; with ?version=3.1 for tools that cannot read 3.2. Raises APIError (400)."""
    version = request.query_params.get("version", "3.2")
    if version not in editions():
        known = " or ".join(editions())
        raise APIError(400, f"version: no edition {version[:20]!a}; ask for {known}", code=Code.WRONG_FORM)
    return editions()[version].answer(request)


async def _file(request: Request) -> Response:
    return static_files()[request.path_params["name"]].answer(request)


def _document(name: str) -> Answer:
    async def answer(request: Request) -> Response:
        return static_files()[name].answer(request)

    return answer


def _about(engine: Engine, settings: ServerSettings) -> Answer:
    """What the page wants to know of this server before anybody has given it a token."""

    async def answer(request: Request) -> Response:
        described = engine.describe()
        told = {
            "model": None if settings.token else f"{described.name} {described.device}",
            "token": settings.token is not None,
            "target": settings.page_target,
        }
        return static_file("about.json", json.dumps(told).encode()).answer(request)

    return answer


def _application(paths: dict[str, Answer], around: Sequence[Middleware]) -> Starlette:
    methods = {TARGET: ["GET", "POST"]}
    app = Starlette(
        routes=[Route(path, answer, methods=methods.get(path, ["GET"])) for path, answer in paths.items()],
        middleware=around,
        exception_handlers={APIError: answer_api_error, HTTPException: answer_http_exception},
    )
    app.router.redirect_slashes = False
    return app
