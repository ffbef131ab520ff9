"""A server that dies: its process ends; in a process of others it resets all connections and accepts no more."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Unpack

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Decorator, Options, hooking
from local_dream_mockserver.faults.effects.requests import Incoming
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.middleware import replayed
from local_dream_mockserver.server.run import Server, listen, running

STATUS = 134
"""The exit code of a process that ended by abort(), as a shell shows it."""
Kills = Callable[[Incoming], bool]
"""Whether a request kills: before it is looked at, or when its client hangs up."""


def deadly(
    app: ASGIApp,
    hooks: FaultHooks,
    *,
    of: Kills = lambda incoming: False,
    of_hang_up: Kills = lambda incoming: False,
    back: float | None = None,
) -> ASGIApp:
    """The application of a server that dies of such requests. `back` is after how many seconds it is there again, None
    for never."""

    def die() -> None:
        hooks.happened()
        if back is None and running().is_process:
            os._exit(STATUS)
        close(back)

    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        incoming = await Incoming.of(scope, receive)
        if of(incoming):
            die()
            return
        over = False

        async def receiving() -> Message:
            message = await again()
            if message["type"] == "http.disconnect" and not over and of_hang_up(incoming):
                die()
            return message

        async def sending(message: Message) -> None:
            nonlocal over
            over = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        again = replayed(incoming.body, receive)
        await app(scope, receiving, sending)

    return around


def close(back: float | None) -> None:
    """Resets all connections and accepts no more, for `back` seconds, None for ever. In the event loop."""
    server = running()
    addresses = [listener.getsockname()[:2] for one in server.servers for listener in one.sockets]
    for one in server.servers:
        one.close()
    reset()
    if back is not None:
        reviving = asyncio.get_running_loop().create_task(_revive(server, addresses, back))
        _reviving.add(reviving)
        reviving.add_done_callback(_reviving.discard)


def reset() -> None:
    """Resets all connections. In the event loop."""
    for connection in list(running().server_state.connections):
        connection.transport.abort()


_reviving: set[asyncio.Task[None]] = set()
"""Event loops keep only weak references to tasks."""


async def _revive(server: Server, addresses: list[tuple[str, int]], after: float) -> None:
    """Listens again, as a supervisor has it."""
    await asyncio.sleep(after)
    server.servers = [await _listening(server, listen(host, port)) for host, port in addresses]


async def _listening(server: Server, listener: socket.socket) -> asyncio.Server:
    config = server.config
    make: Callable[..., asyncio.Protocol] = config.http_protocol_class
    protocol = partial(make, config=config, server_state=server.server_state, app_state=server.lifespan.state)
    return await asyncio.get_running_loop().create_server(protocol, sock=listener, backlog=config.backlog)


def dies(*ids: str, hang_up: bool = False, back: float | None = None, **options: Unpack[Options]) -> Decorator:
    """`(incoming) -> bool`: whether a request kills the server or, with `hang_up`, its client that hangs up.

    `back` is after how many seconds the server is there again (None: never).
    """

    def wrap(kills: Kills, self: FaultHooks, app: ASGIApp) -> ASGIApp:
        return deadly(app, self, of_hang_up=kills) if hang_up else deadly(app, self, of=kills, back=back)

    return hooking(ids, options, Layer.REQUEST, wrap=wrap)
