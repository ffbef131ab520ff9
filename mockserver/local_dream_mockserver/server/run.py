"""Runs an application on a port until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TypeAlias, cast
from weakref import WeakKeyDictionary

import uvicorn
from starlette.types import ASGIApp

from local_dream_mockserver.server.connection_limits import ConnectionLimits, LimitedConfig, raise_descriptors
from local_dream_mockserver.server.http_protocol import HttpProtocol

Protocols: TypeAlias = Callable[..., HttpProtocol]
"""What makes the protocol of each new connection."""


LIMITS = ConnectionLimits()
STOP_WITHIN = 1.7
"""Seconds from the signal to the end of the process, whatever its threads are at."""


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
    limits: ConnectionLimits = LIMITS,
    control: socket.socket | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then returns, or ends the process with status 0 where threads still work. Raises
    CannotListen.

    When the server accepts connections, one line goes to stdout: `ready URL ABOUT`. Port 0 takes a free port.
    `control` is a second socket to serve at, that of the control API.
    The access log (method, path, status) goes to stderr; it never holds a body.
    """
    prepare(access_log, limits)
    listener = listen(host, port)
    url = url_of(listener)
    server = Server(app, lambda: say_ready(url, about), access_log=access_log, http=http, limits=limits)
    server.run_as_process(listener, *filter(None, [control]))


def prepare(access_log: bool, limits: ConnectionLimits) -> None:
    """Logging to stderr, signals that end the server in order, and file descriptors. Before a server runs."""
    raise_descriptors(limits.most)
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


def end_process() -> None:
    """Ends the process now, with status 0. A thread that computes cannot be stopped, and has nothing to save."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


class Server(uvicorn.Server):
    """uvicorn as this project runs it: one worker, our HTTP protocol. Calls `ready` once it accepts connections."""

    def __init__(
        self,
        app: ASGIApp,
        ready: Callable[[], None],
        *,
        access_log: bool = False,
        http: Protocols = HttpProtocol,
        limits: ConnectionLimits = LIMITS,
    ) -> None:
        config = LimitedConfig(
            app,
            http=cast(type[HttpProtocol], http),
            ws="none",
            log_config=None,
            log_level="info" if access_log else "warning",
            access_log=access_log,
            server_header=False,
            timeout_graceful_shutdown=1,
            backlog=2048,
            limits=limits.fitted(),
        )
        super().__init__(config)
        self._ready = ready
        self._ends_process = False

    def run_as_process(self, *listeners: socket.socket) -> None:
        """Runs as what this process is there for, which a signal ends within STOP_WITHIN seconds."""
        self._ends_process = True
        self.run(list(listeners))
        if any(not thread.daemon and thread is not threading.main_thread() for thread in threading.enumerate()):
            end_process()  # Python would wait for the engine's step to end

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._ends_process:
            watch = threading.Timer(STOP_WITHIN, end_process)
            watch.daemon = True
            watch.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tells the application first, so that streams end with an error event rather than being cut."""
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()
        await super().shutdown(sockets)

    @property
    def is_process(self) -> bool:
        """Whether it is what this process is there for."""
        return self._ends_process

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _RUNNING[asyncio.get_running_loop()] = self
        self._ready()


_RUNNING: WeakKeyDictionary[asyncio.AbstractEventLoop, Server] = WeakKeyDictionary()


def running() -> Server:
    """The server that runs in this event loop. Raises KeyError where there is none."""
    return _RUNNING[asyncio.get_running_loop()]
