"""The control API under /__mock__/, for tests in other languages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Fault, Quirk
from local_dream_mockserver.mock.answers import BadAnswer, answers_of
from local_dream_mockserver.mock.request_log import RequestLog
from local_dream_mockserver.mock.state import MockState
from local_dream_mockserver.proxy.unknown import Unknown
from local_dream_mockserver.server.access import HostGuard, TokenGuard
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection import read_body
from local_dream_mockserver.server.errors import APIError, answer_api_error, answer_http_exception

PREFIX = "/__mock__"
LONGEST = 1024 * 1024
LONGEST_WAIT = 60.0


class Control:
    """A door that answers what is under /__mock__/, which the journal does not list.

    It asks for the server's token, and looks at Host even where the API does not: the journal holds prompts.
    """

    def __init__(self, app: ASGIApp, orders: MockState, journal: RequestLog, settings: ServerSettings) -> None:
        self.app = app
        desk: ASGIApp = Desk(orders, journal).app()
        if settings.token is not None:
            desk = TokenGuard(desk, settings.token)
        self.desk = HostGuard(desk, settings.hosts or (), foreign_origins=True)  # every Origin is refused within

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        ours = scope["type"] == "http" and (path == PREFIX or path.startswith(f"{PREFIX}/"))
        await (self.desk if ours else self.app)(scope, receive, send)


class Desk:
    """Takes orders, tells what has been ordered, and shows the journal. Refusals have the API's error envelope."""

    def __init__(self, orders: MockState, journal: RequestLog) -> None:
        self.orders = orders
        self.journal = journal

    def app(self) -> Starlette:
        routes = [
            Route(PREFIX + "/", self.state, methods=["GET"]),
            Route(PREFIX + "/fault", self.fault, methods=["PUT", "POST", "DELETE"]),
            Route(PREFIX + "/quirk", self.quirk, methods=["PUT", "POST", "DELETE"]),
            Route(PREFIX + "/script", self.script, methods=["PUT", "POST", "DELETE"]),
            Route(PREFIX + "/reset", self.reset, methods=["PUT", "POST"]),
            Route(PREFIX + "/requests", self.requests, methods=["GET", "DELETE"]),
            Route(PREFIX + "/requests/{number:int}/body", self.body, methods=["GET"]),
        ]
        app = Starlette(
            routes=routes, exception_handlers={APIError: answer_api_error, HTTPException: answer_http_exception}
        )
        app.router.redirect_slashes = False
        return app

    async def state(self, request: Request) -> Response:
        """GET: faults, quirks and the answers that are left of the script."""
        _from_a_test(request)
        return self._state()

    async def fault(self, request: Request) -> Response:
        """PUT these, POST these as well, DELETE all."""
        names = await _names(request)
        return self._ordered(lambda: self.orders.order(Fault, names, more=request.method == "POST"))

    async def quirk(self, request: Request) -> Response:
        """As `fault`."""
        names = await _names(request)
        return self._ordered(lambda: self.orders.order(Quirk, names, more=request.method == "POST"))

    async def script(self, request: Request) -> Response:
        """PUT this script, POST these answers behind what is left, DELETE it."""
        document = [] if request.method == "DELETE" else _json(await _text(request))
        return self._ordered(lambda: self.orders.script(answers_of(document), more=request.method == "POST"))

    async def reset(self, request: Request) -> Response:
        """As at the start, with an empty journal."""
        await _text(request)
        self.orders.reset()
        self.journal.clear()
        return self._state()

    async def requests(self, request: Request) -> Response:
        """GET: the journal; with ?wait=SECONDS once nothing is under way, at most so long. DELETE: forget it."""
        _from_a_test(request)
        if request.method == "DELETE":
            self.journal.clear()
        if (wait := request.query_params.get("wait")) is not None:
            try:
                seconds = min(LONGEST_WAIT, max(0.0, float(wait)))
            except ValueError:
                raise APIError(400, "wait: not a number; send seconds") from None
            try:
                await run_in_threadpool(self.journal.settle, seconds)
            except TimeoutError as error:
                raise APIError(408, f"{error}; ask again, or without wait") from None
        listed = await run_in_threadpool(lambda: json.dumps([one.as_json() for one in self.journal.requests]))
        return Response(listed, media_type="application/json")

    async def body(self, request: Request) -> Response:
        """GET: the body of the request with this number, as it came."""
        _from_a_test(request)
        for one in self.journal.requests:
            if one.number == request.path_params["number"]:
                return Response(one.body, media_type="application/octet-stream")
        raise APIError(404, f"the journal has no request {request.path_params['number']}")

    def _ordered(self, act: Callable[[], None]) -> Response:
        try:
            act()
        except (Unknown, BadAnswer) as error:
            raise APIError(400, str(error)) from None
        return self._state()

    def _state(self) -> Response:
        orders = self.orders
        return JSONResponse({"faults": orders.faults, "quirks": orders.quirks, "script": orders.script_left})


def _from_a_test(request: Request) -> None:
    """Refuses pages of other sites, which a browser would let send orders. Raises APIError."""
    if "origin" in request.headers:
        raise APIError(403, f"Origin: {PREFIX}/ is for tests, and does not answer web pages")


async def _text(request: Request) -> str:
    _from_a_test(request)
    try:
        return (await read_body(request, LONGEST, 10)).decode()
    except UnicodeDecodeError:
        raise APIError(400, "the body is not UTF-8") from None


async def _names(request: Request) -> list[str]:
    """NAME[@PLACE], ... as plain text, or a JSON list of them."""
    text = (await _text(request)).strip()
    if request.method == "DELETE":
        return []
    names = _json(text) if text.startswith(("[", '"', "{")) else text.split(",")
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise APIError(400, "the body: send NAME[@PLACE], or a JSON list of such texts")
    if not (given := [name for name in names if name.strip()]) and request.method == "POST":
        raise APIError(400, "the body names nothing; send NAME[@PLACE]")
    return given


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise APIError(400, f"the body is not JSON: {error}") from None
