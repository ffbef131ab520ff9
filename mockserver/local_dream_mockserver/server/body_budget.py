"""A bound on the bodies of all requests together: each is small enough by itself, but there may be many."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.server.errors import APIError, Code


class BodyBudget:
    """ASGI middleware that counts the bytes of each body from their arrival until the request is answered.

    Raises APIError (503) into whoever reads the body that does not fit into `most` bytes any more.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        held = 0

        async def counted() -> Message:
            nonlocal held
            message = await receive()
            length = len(message.get("body", b""))
            if self.held + length > self.most:
                raise APIError(
                    503,
                    "busy receiving the bodies of other requests; try again later",
                    {"Retry-After": "5"},
                    code=Code.BUSY,
                )
            held += length
            self.held += length
            return message

        try:
            await self.app(scope, counted, send)
        finally:
            self.held -= held
