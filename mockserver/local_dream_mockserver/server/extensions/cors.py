"""Extension cors: pages of other origins may use the server."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from local_dream_mockserver.server.extensions.extension import Extension

EXPOSED = ("X-Output-Width", "X-Output-Height", "X-Duration-Ms", "Retry-After")
PRIVATE_NETWORK_ASKED = "access-control-request-private-network"
PRIVATE_NETWORK_ALLOWED = "access-control-allow-private-network"
"""What browsers ask in addition where a page of the internet calls a server of this machine or its network."""
DAY = 86400
"""How long browsers may remember the answer to a preflight, in seconds."""


class Preflights(CORSMiddleware):
    """Starlette's, but with status 204 for an accepted preflight, as the servers in the field have it."""

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


class Cors(Extension):
    """Every origin is let in, with every request header; nothing here asks for cookies or credentials."""

    name = "cors"

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
