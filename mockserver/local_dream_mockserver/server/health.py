"""GET and HEAD /health: 200 while the server runs; the body has no meaning."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/health"
METHODS = ("GET", "HEAD")


class Healthy:
    """The ASGI application at the path. What routes to it refuses other methods."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


class HealthDoor:
    """ASGI middleware that answers before routes are searched: this is asked more often than all the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._healthy = Healthy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and scope["path"] == PATH and scope["method"] in METHODS
        await (self._healthy if asked else self.app)(scope, receive, send)
