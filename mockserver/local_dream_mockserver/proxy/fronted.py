"""A server behind a proxy in the same process: what listens at the address is the proxy."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import cast

from starlette.types import ASGIApp

from local_dream_mockserver.proxy.handover import Handover, NeedsProxy
from local_dream_mockserver.proxy.proxy import Proxy, Upstream, parse_upstream
from local_dream_mockserver.server.connection_limits import ConnectionLimits
from local_dream_mockserver.server.http_protocol import HttpProtocol
from local_dream_mockserver.server.run import (
    LIMITS,
    Protocols,
    Server,
    cannot_listen,
    listen,
    prepare,
    say_ready,
    url_of,
)

ENDING = 0.3
"""Seconds that answers have to end in when the server is stopped."""


def serve_fronted(
    app: ASGIApp,
    host: str,
    port: int,
    about: str,
    front: Callable[[Upstream], Proxy],
    *,
    access_log: bool = False,
    http: Protocols = HttpProtocol,
    limits: ConnectionLimits = LIMITS,
    control: socket.socket | None = None,
    needs_proxy: NeedsProxy | None = None,
) -> None:
    """As `run.serve`, with the proxy that `front` makes listening at the address, and the server at a free port. It is
    not before the control API. With `needs_proxy` the server listens at the address, too, and the proxy gets the
    connections of requests that need it."""
    prepare(access_log, limits)
    public = None if needs_proxy is None else listen(host, port)
    listener = listen("127.0.0.1", 0)
    proxy = front(parse_upstream(url_of(listener)))
    proxy.most_connections = limits.fitted().most
    if needs_proxy is not None and public is not None:
        http = handing_over(http, proxy, needs_proxy, public)
    server = Fronted(
        app,
        proxy,
        host,
        port,
        lambda url: say_ready(url, about),
        access_log=access_log,
        http=http,
        limits=limits,
        public=public,
    )
    server.run_as_process(*filter(None, [public, listener, control]))


def handing_over(http: Protocols, proxy: Proxy, needs_proxy: NeedsProxy, public: socket.socket) -> Protocols:
    """What makes the protocol of each new connection, where those at `public` may be given to the proxy."""
    port = public.getsockname()[1]
    return cast(Protocols, lambda *args, **keys: Handover(http(*args, **keys), proxy, needs_proxy, port))


class Fronted(Server):
    """A server behind a proxy in the same process, which listens at `host` and `port`. Calls `ready` with its URL."""

    def __init__(
        self,
        app: ASGIApp,
        proxy: Proxy,
        host: str,
        port: int,
        ready: Callable[[str], None],
        *,
        access_log: bool = False,
        http: Protocols = HttpProtocol,
        limits: ConnectionLimits = LIMITS,
        public: socket.socket | None = None,
    ) -> None:
        """`public` listens at the address already, and is the server's."""
        super().__init__(app, lambda: None, access_log=access_log, http=http, limits=limits)
        self._proxy = proxy
        self._address = host, port
        self._tell = ready
        self._public = public

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._public is not None:
            self._tell(url_of(self._public))
            return
        try:
            url = await self._proxy.listen(*self._address)
        except OSError as error:
            await self.shutdown(sockets)
            raise cannot_listen(*self._address, error) from None
        self._tell(url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._proxy.stop_listening()
        await self.lifespan.shutdown()
        await self._proxy.answered(ENDING)
        await self._proxy.close()
        await super().shutdown(sockets)
