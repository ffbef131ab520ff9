"""Runs an application on a port until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeAlias, cast

import uvicorn
from starlette.types import ASGIApp

from mockserver.http_protocol import HttpProtocol
from mockserver.proxy.proxy import Proxy, Upstream, parse_upstream

Protocols: TypeAlias = Callable[..., HttpProtocol]
"""What makes the protocol of each new connection."""


class CannotListen(Exception):
    """The address cannot be listened on; the message is one line that says why and what to do."""


def serve(
    app: ASGIApp,
    host: str,
    port: int,
    about: str,
    *,
    access_log: bool = False,
    http: Protocols = HttpProtocol,
    front: Callable[[Upstream], Proxy] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then returns. Raises CannotListen.

    With `front`, the proxy that it makes listens at this address, and the server itself at a free port behind it.

    When the server accepts connections, one line goes to stdout: `ready URL ABOUT`. Port 0 takes a free port.
    The access log (method, path, status) goes to stderr; it never holds a body.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO if access_log else logging.WARNING, format="%(message)s")
    listener = listen("127.0.0.1", 0) if front else listen(host, port)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stopped)

    def ready(url: str) -> None:
        _say(f"ready {url} {about}\n")

    if front:
        proxy = front(parse_upstream(url_of(listener)))
        Fronted(app, proxy, host, port, ready, access_log=access_log, http=http).run([listener])
    else:
        url = url_of(listener)
        Server(app, lambda: ready(url), access_log=access_log, http=http).run([listener])


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises CannotListen."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise _cannot_listen(host, port, error) from None


def _cannot_listen(host: str, port: int, error: Exception) -> CannotListen:
    number = getattr(error, "errno", None) or 0
    reason = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)
    return CannotListen(f"cannot listen on {host} port {port}: {reason}; choose another --host or --port")


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _stopped(number: int, frame: FrameType | None) -> None:
    """uvicorn has stopped by the time it raises the signal again; the process then ends as it should, with status 0."""


def _say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


class Server(uvicorn.Server):
    """uvicorn as this project runs it: one worker, our HTTP protocol. Calls `ready` once it accepts connections."""

    def __init__(
        self,
        app: ASGIApp,
        ready: Callable[[], None],
        *,
        access_log: bool = False,
        http: Protocols = HttpProtocol,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=cast(type[HttpProtocol], http),
            ws="none",
            log_config=None,
            log_level="info" if access_log else "warning",
            access_log=access_log,
            server_header=False,
            timeout_graceful_shutdown=1,
            backlog=2048,
        )
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


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
    ) -> None:
        super().__init__(app, lambda: None, access_log=access_log, http=http)
        self._proxy = proxy
        self._address = host, port
        self._tell = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        try:
            url = await self._proxy.listen(*self._address)
        except OSError as error:
            await self.shutdown(sockets)
            raise _cannot_listen(*self._address, error) from None
        self._tell(url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._proxy.close()
        await super().shutdown(sockets)
