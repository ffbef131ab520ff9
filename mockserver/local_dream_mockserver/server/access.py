"""Who may call: the names in Host, the Origin of web pages, the token.

A web page cannot read what another site answers, but it can have its own name point at this machine (DNS rebinding),
and is then on the same site. What gives it away is the name in Host.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.server.errors import APIError, Code

REMEMBERED = 64
"""Names that are known without another look: clients send the same ones with every request."""


class HostGuard:
    """ASGI middleware that refuses foreign names, and POSTs of foreign pages where `foreign_origins` is false."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], foreign_origins: bool) -> None:
        self.app = app
        self.hosts = hosts
        self.foreign_origins = foreign_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            expect_known_host(headers, self.hosts)
            if scope["method"] == "POST" and not self.foreign_origins:
                expect_own_origin(headers, self.hosts)
        await self.app(scope, receive, send)


class TokenGuard:
    """ASGI middleware that asks for the token, except at /health, which tells nothing."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/health":
            try:
                expect_token(Headers(scope=scope), self.token)
            except APIError as refusal:
                await refusal.response()(scope, receive, send)
                return
        await self.app(scope, receive, send)


def expect_known_host(headers: Headers, hosts: Collection[str]) -> None:
    """Raises APIError (403) where Host is neither one of `hosts` nor safe by itself."""
    host = headers.get("host")
    if host is None:  # HTTP/1.0, which no browser speaks
        return
    name = _name(f"//{host}")
    if not (is_safe(name) or name in hosts):
        raise APIError(
            403,
            f"Host: {name[:100]!a} is no name of this server; allow it with --allow-host",
            code=Code.FORBIDDEN,
            field="Host",
        )


def expect_own_origin(headers: Headers, hosts: Collection[str]) -> None:
    """Raises APIError (403) where Origin is a page that did not come from a server that is known here."""
    origin = headers.get("origin")
    if origin is None:
        return
    name = _name(origin)
    if not (name in ("localhost", _name(f"//{headers.get('host', '')}"), *hosts) or _is_loopback(name)):
        raise APIError(
            403,
            "Origin: pages of other origins are not let in; start the server with --cors to let them in",
            code=Code.FORBIDDEN,
            field="Origin",
        )


def expect_token(headers: Headers, token: str) -> None:
    """Raises APIError (401)."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise APIError(
            401,
            "Authorization: send Bearer and this server's token",
            {"WWW-Authenticate": "Bearer"},
            code=Code.FORBIDDEN,
        )


@lru_cache(REMEMBERED)
def is_safe(name: str) -> bool:
    """Whether no web page can have this name point here: localhost, IP addresses, and names without a dot."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name != "" and "." not in name
    return True


def is_loopback_address(host: str) -> bool:
    """Whether a server that listens at this address is reached from this machine only."""
    return host == "localhost" or _is_loopback(host)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@lru_cache(REMEMBERED)
def _name(address: str) -> str:
    """The host of a URL or of `//HOST[:PORT]`, in lower case; "" where there is none."""
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""
