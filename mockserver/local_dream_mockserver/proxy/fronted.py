"""A server behind a proxy in the same process: what listens at the address is the proxy."""

from __future__ import annotations

import socket
from collections.abc import Callable

from starlette.types import ASGIApp

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
) -> None:
    """As `run.serve`, with the proxy that `front` makes listening at the address, and the server at a free port. It is
    not before the control API."""
    prepare(access_log, limits)
    listener = listen("127.0.0.1", 0)
    proxy = front(parse_upstream(url_of(listener)))
    proxy.most_connections = limits.fitted().most
    server = Fronted(
        app, proxy, host, port, lambda url: say_ready(url, about), access_log=access_log, http=http, limits=limits
    )
    server.run_as_process(listener, *filter(None, [control]))


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
    ) -> None:
        super().__init__(app, lambda: None, access_log=access_log, http=http, limits=limits)
        self._proxy = proxy
        self._address = host, port
        self._tell = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
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
