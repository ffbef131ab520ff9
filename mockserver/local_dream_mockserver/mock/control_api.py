"""The control API under /__mock__/, for tests in other languages."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Fault, Quirk
from local_dream_mockserver.faults.selection import MOST_AT_ONCE, several
from local_dream_mockserver.mock.answers import BadAnswer, answers_of, pacing_of
from local_dream_mockserver.mock.request_log import RequestLog
from local_dream_mockserver.mock.state import MockState
from local_dream_mockserver.proxy.unknown import Unknown
from local_dream_mockserver.server.access import HostGuard, TokenGuard
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection import read_body
from local_dream_mockserver.server.errors import APIError, Code, answer_api_error, answer_http_exception

PREFIX = "/__mock__"
LONGEST = 1024 * 1024
LONGEST_WAIT = 60.0
MOST_WAITS = 64
"""Requests that wait for something at a time; the next is answered with 503."""
T = TypeVar("T")


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
        self._waits = CapacityLimiter(MOST_WAITS)

    def app(self) -> Starlette:
        routes = [
            Route(PREFIX + "/", self.state, methods=["GET"]),
            Route(PREFIX + "/fault", self.fault, methods=["PUT", "POST", "DELETE"]),
            Route(PREFIX + "/quirk", self.quirk, methods=["PUT", "POST", "DELETE"]),
            Route(PREFIX + "/script", self.script, methods=["PUT", "POST", "DELETE"]),
            Route(PREFIX + "/pace", self.pace, methods=["PUT", "POST", "DELETE"]),
            Route(PREFIX + "/release", self.release, methods=["PUT", "POST"]),
            Route(PREFIX + "/reset", self.reset, methods=["PUT", "POST"]),
            Route(PREFIX + "/requests", self.requests, methods=["GET", "DELETE"]),
            Route(PREFIX + "/breaches", self.breaches, methods=["GET"]),
            Route(PREFIX + "/wait", self.wait, methods=["GET"]),
            Route(PREFIX + "/requests/{number:int}/body", self.body, methods=["GET"]),
        ]
        app = Starlette(
            routes=routes, exception_handlers={APIError: answer_api_error, HTTPException: answer_http_exception}
        )
        app.router.redirect_slashes = False
        return app

    async def state(self, request: Request) -> Response:
        """GET: faults, quirks, the answers that are left of the script, and the pace."""
        _from_a_test(request)
        return self._state()

    async def fault(self, request: Request) -> Response:
        """PUT these, POST these as well, DELETE all."""
        return self._named(Fault, await _names(request), self.orders.faults if request.method == "POST" else [])

    async def quirk(self, request: Request) -> Response:
        """As `fault`."""
        return self._named(Quirk, await _names(request), self.orders.quirks if request.method == "POST" else [])

    async def script(self, request: Request) -> Response:
        """PUT this script, POST these answers behind what is left, DELETE it."""
        document = [] if request.method == "DELETE" else _json(await _text(request))
        return self._ordered(lambda: self.orders.script(answers_of(document), more=request.method == "POST"))

    async def pace(self, request: Request) -> Response:
        """PUT or POST: seconds for requests from now on. DELETE: as at the start."""
        text = await _text(request)
        if request.method == "DELETE":
            return self._ordered(self.orders.pace.reset)
        return self._ordered(lambda: self.orders.pace.set(pacing_of(_json(text))))

    async def release(self, request: Request) -> Response:
        """What is held goes on."""
        await _text(request)
        return self._ordered(self.orders.release)

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
            seconds = _seconds("wait", wait)
            try:
                await self._waited(lambda: self.journal.settle(seconds))
            except TimeoutError as error:
                raise APIError(408, f"{error}; ask again, or without wait") from None
        return await _told(lambda: [one.as_json() for one in self.journal.requests])

    async def wait(self, request: Request) -> Response:
        """GET ?events=N&seconds=S: one request of the journal, once N events of its answer were sent or it is over;
        with &request=NUMBER of that one."""
        _from_a_test(request)
        asked = request.query_params
        if unknown := asked.keys() - {"events", "seconds", "request"}:
            raise APIError(400, f"{sorted(unknown)[0]}: unknown; send events, seconds, request")
        events = _whole("events", asked.get("events", "1"))
        number = _whole("request", asked["request"]) if "request" in asked else None
        seconds = _seconds("seconds", asked.get("seconds", "10"))
        try:
            found = await self._waited(lambda: self.journal.wait_for_events(events, seconds, number))
        except TimeoutError as error:
            raise APIError(408, f"{error}; ask again") from None
        return await _told(found.as_json)

    async def breaches(self, request: Request) -> Response:
        """GET: all breaches in the journal."""
        _from_a_test(request)
        return await _told(lambda: [breach.as_json() for breach in self.journal.breaches])

    async def body(self, request: Request) -> Response:
        """GET: the body of the request with this number, as it came."""
        _from_a_test(request)
        for one in self.journal.requests:
            if one.number == request.path_params["number"]:
                return Response(one.body, media_type="application/octet-stream")
        raise APIError(404, f"the journal has no request {request.path_params['number']}")

    async def _waited(self, wait: Callable[[], T]) -> T:
        """What a wait comes to. Waits have threads of their own, since those whose client has gone go on to their end:
        the API is not kept from its own. Raises APIError, and what `wait` raises."""
        if self._waits.available_tokens < 1:
            raise APIError(503, f"{MOST_WAITS} requests wait already", {"Retry-After": "5"}, code=Code.BUSY)
        return await to_thread.run_sync(wait, limiter=self._waits)

    def _named(self, kind: type[Fault] | type[Quirk], names: list[str], standing: list[str]) -> Response:
        def order() -> None:
            several([*standing, *names], MOST_AT_ONCE)
            self.orders.order(kind, [*standing, *names], more=False)

        return self._ordered(order)

    def _ordered(self, act: Callable[[], None]) -> Response:
        try:
            act()
        except (Unknown, BadAnswer) as error:
            raise APIError(400, str(error)) from None
        return self._state()

    def _state(self) -> Response:
        orders = self.orders
        pace = asdict(orders.pace.now)
        state = {"faults": orders.faults, "quirks": orders.quirks, "script": orders.script_left, "pace": pace}
        return Response(json.dumps(state), media_type="application/json")


def _from_a_test(request: Request) -> None:
    """Refuses pages of other sites, which a browser would let send orders. Raises APIError."""
    if "origin" in request.headers:
        raise APIError(403, f"Origin: {PREFIX}/ is for tests, and does not answer web pages")


def _seconds(name: str, text: str) -> float:
    """At most LONGEST_WAIT. Raises APIError."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isnan(seconds):
        raise APIError(400, f"{name}: not a number; send seconds")
    return min(LONGEST_WAIT, max(0.0, seconds))


def _whole(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise APIError(400, f"{name}: not a whole number from 0 up")
    return int(text)


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


async def _told(make: Callable[[], Any]) -> Response:
    """JSON in ASCII, since what clients sent may hold what is no character. It is made in a thread."""
    return Response(await run_in_threadpool(lambda: json.dumps(make())), media_type="application/json")
