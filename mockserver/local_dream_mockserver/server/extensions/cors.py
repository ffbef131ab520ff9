"""Extension cors: pages of other origins may use the server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from local_dream_mockserver.server.extensions.extension import Extension

NAME = "cors"
EXPOSED = ("X-Output-Width", "X-Output-Height", "X-Duration-Ms", "Retry-After")
PRIVATE_NETWORK_ASKED = "access-control-request-private-network"
PRIVATE_NETWORK_ALLOWED = "access-control-allow-private-network"
"""What browsers ask in addition where a page of the internet calls a server of this machine or its network."""
DAY = 86400
"""How long browsers may remember the answer to a preflight, in seconds."""


class Preflights(CORSMiddleware):
    """Starlette's, but with status 204 for an accepted preflight, as the servers in the field have it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and all(name != b"origin" for name, _ in scope["headers"]):
            await self.app(scope, receive, partial(_varying, send))  # at a tenth of what the other way costs
        else:
            await super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        private = request_headers.get(PRIVATE_NETWORK_ASKED) == "true"
        asked = Headers({name: value for name, value in request_headers.items() if name != PRIVATE_NETWORK_ASKED})
        response = super().preflight_response(asked)
        if response.status_code != 200:
            return response
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        if private:
            headers[PRIVATE_NETWORK_ALLOWED] = "true"
        return Response(status_code=204, headers=headers)


async def _varying(send: Send, message: Message) -> None:
    """Sends it; a head says that it depends on who asks."""
    if message["type"] == "http.response.start":
        vary = [value for name, value in message.get("headers", ()) if name == b"vary"]
        others = [header for header in message.get("headers", ()) if header[0] != b"vary"]
        message["headers"] = [*others, (b"vary", b", ".join([*vary, b"Origin"]))]
    await send(message)


class Cors(Extension):
    """Every origin is let in, with every request header; nothing here asks for cookies or credentials."""

    name = NAME

    def middleware(self) -> Sequence[Middleware]:
        return [
            Middleware(
                Preflights,
                allow_origins=["*"],
                allow_methods=["GET", "HEAD", "POST"],
                allow_headers=["*"],
                expose_headers=EXPOSED,
                max_age=DAY,
            )
        ]
