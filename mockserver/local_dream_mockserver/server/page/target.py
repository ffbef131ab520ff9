"""The pass-through: the API's operations of one other server, for a browser that may not call it itself.

It is off by default and bound to one server, which whoever started this one named. It passes on what belongs to the
API and nothing else, and answers its own page alone.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection import read_body, while_connected
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.event_stream import EventStream

OPERATIONS = {"/health": "GET", "/generate": "POST", "/upscale": "POST"}
ASKED = ("content-type", "x-image-width", "x-image-height", "x-upscaler-path", "x-use-opencl")
"""Request headers that are passed on."""
TOKEN = "x-target-authorization"
"""The request header that the other server gets as Authorization; Authorization itself is for this one."""
ANSWERED = (
    *("content-type", "content-encoding", "content-length", "cache-control", "retry-after"),
    *("x-output-width", "x-output-height", "x-duration-ms"),
)
"""Headers of the answer that are passed on."""
INERT = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What the other server sends must not run as a page of this one."""
CONNECT_WITHIN = 10.0
"""Seconds."""


class PassThrough:
    """The endpoint: `?path=/generate` says which operation is meant."""

    def __init__(self, target: str, settings: ServerSettings) -> None:
        self.target = target
        self.settings = settings
        self._client: httpx.AsyncClient | None = None

    async def answer(self, request: Request) -> Response:
        """Raises APIError: for a foreign page, an operation that the API lacks, a target that does not answer."""
        expect_own_page(request.headers)
        path = request.query_params.get("path", "")
        if OPERATIONS.get(path) != request.method:
            wanted = ", ".join(f"{method} with path={name}" for name, method in OPERATIONS.items())
            raise APIError(404, f"path: the pass-through has {wanted}", code=Code.NO_SUCH_PATH, field="path")
        settings = self.settings
        body = await read_body(request, settings.max_body, settings.body_idle, settings.body_whole)
        asked = self.client().build_request(
            request.method, self.target + path, headers=_passed_on(request.headers), content=body
        )
        try:
            given = await while_connected(request.receive, self.client().send(asked, stream=True))
        except httpx.HTTPError as error:
            message = f"{self.target} does not answer ({type(error).__name__}); is it running?"
            raise APIError(502, message, code=Code.FAILED) from None
        return PassedOn(given, settings.write_idle)

    def client(self) -> httpx.AsyncClient:
        """Made for the first request: certificates take time to load."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=ssl.create_default_context(),
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(None, connect=CONNECT_WITHIN),
                limits=httpx.Limits(max_keepalive_connections=0),
            )
        return self._client


class PassedOn(EventStream):
    """The answer of the other server, byte for byte as it comes. It hears when the page hangs up."""

    def __init__(self, given: httpx.Response, write_idle: float) -> None:
        super().__init__(_pieces(given), lambda: None, write_idle)
        self.given = given
        self.status_code = given.status_code
        told = [
            (name.lower(), value) for name, value in given.headers.raw if name.lower().decode("latin-1") in ANSWERED
        ]
        self.raw_headers = [*told, *((name.lower().encode(), value.encode()) for name, value in INERT.items())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.given.aclose()


async def _pieces(given: httpx.Response) -> AsyncIterator[bytes]:
    """Raises ConnectionError where the other server breaks off."""
    try:
        async for piece in given.aiter_raw():
            yield piece
    except httpx.HTTPError as error:
        raise ConnectionError(str(error)) from error


def expect_own_page(headers: Headers) -> None:
    """Raises APIError (403) where a browser says that another page asks."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    own = origin is None or urlsplit(origin).netloc == headers.get("host", "")
    if not own or site not in ("same-origin", "none"):
        message = "Origin: the pass-through answers the page of this server alone"
        raise APIError(403, message, code=Code.FORBIDDEN, field="Origin")


def _passed_on(headers: Headers) -> dict[str, Any]:
    passed = {name: headers[name] for name in ASKED if name in headers}
    if TOKEN in headers:
        passed["authorization"] = headers[TOKEN]
    return {**passed, "accept-encoding": "identity"}
