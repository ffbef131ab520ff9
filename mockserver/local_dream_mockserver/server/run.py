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

from local_dream_mockserver.server.http_protocol import HttpProtocol

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
) -> None:
    """Serves until SIGTERM or SIGINT, then returns. Raises CannotListen.

    When the server accepts connections, one line goes to stdout: `ready URL ABOUT`. Port 0 takes a free port.
    The access log (method, path, status) goes to stderr; it never holds a body.
    """
    prepare(access_log)
    listener = listen(host, port)
    url = url_of(listener)
    Server(app, lambda: say_ready(url, about), access_log=access_log, http=http).run([listener])


def prepare(access_log: bool) -> None:
    """Logging to stderr, and signals that end the server in order. Before a server runs."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO if access_log else logging.WARNING, format="%(message)s")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stopped)


def say_ready(url: str, about: str) -> None:
    """The line that tells people and programs that the server accepts connections."""
    sys.stdout.write(f"ready {url} {about}\n")
    sys.stdout.flush()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises CannotListen."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise cannot_listen(host, port, error) from None


def cannot_listen(host: str, port: int, error: Exception) -> CannotListen:
    """Why an address cannot be listened on, from what the operating system said."""
    number = getattr(error, "errno", None) or 0
    reason = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)
    return CannotListen(f"cannot listen on {host} port {port}: {reason}; choose another --host or --port")


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _stopped(number: int, frame: FrameType | None) -> None:
    """uvicorn has stopped by the time it raises the signal again; the process then ends as it should, with status 0."""


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
