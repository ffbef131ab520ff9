"""Whose request is being served: what the worker's turns go by.

A context variable, because the stages of an endpoint, which others replace, should not have to pass it on.
"""

from __future__ import annotations

from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

client_address: ContextVar[str] = ContextVar("client_address", default="")
"""The client's IP address, "" where the request has none."""


class ClientAddress:
    """ASGI middleware that sets `client_address` for each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client_address.set((scope.get("client") or ("",))[0])
        await self.app(scope, receive, send)
