"""A server that dies: its process ends; in a process of others it resets all connections and accepts no more."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Unpack

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Decorator, Options, declare
from local_dream_mockserver.faults.effects.requests import sent
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.middleware import body_of, replayed
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.run import Server, listen, running

STATUS = 134
"""The exit code of a process that ended by abort(), as a shell shows it."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a client asks for."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The body as a JSON object; {} where it is none."""
        return sent(self.body)


Kills = Callable[[Call], bool]
"""Whether a request kills: before it is looked at, or when its client hangs up."""


def nothing(call: Call) -> bool:
    """No request kills."""
    return False


class Deadly(FaultHooks):
    """Dies of what its functions say. `back` is after how many seconds it is there again, None for never."""

    def __init__(
        self,
        place: Trigger | None = None,
        *,
        of: Kills = nothing,
        of_hang_up: Kills = nothing,
        back: float | None = None,
    ) -> None:
        super().__init__(place)
        self._of = of
        self._of_hang_up = of_hang_up
        self._back = back

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            body = await body_of(receive)
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            call = Call(scope["method"], scope["path"], headers, body)
            if self._of(call):
                await self._die()
                return
            over = False

            async def receiving() -> Message:
                message = await again()
                if message["type"] == "http.disconnect" and not over and self._of_hang_up(call):
                    await self._die()
                return message

            async def sending(message: Message) -> None:
                nonlocal over
                over = message["type"] == "http.response.body" and not message.get("more_body", False)
                await send(message)

            again = replayed(body, receive)
            await app(scope, receiving, sending)

        return around

    async def _die(self) -> None:
        self.happened()
        if self._back is None and running().is_process:
            os._exit(STATUS)
        close(self._back)


def close(back: float | None) -> None:
    """Resets all connections and accepts no more, for `back` seconds, None for ever. In the event loop."""
    server = running()
    addresses = [listener.getsockname()[:2] for one in server.servers for listener in one.sockets]
    for one in server.servers:
        one.close()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    if back is not None:
        reviving = asyncio.get_running_loop().create_task(_revive(server, addresses, back))
        _reviving.add(reviving)
        reviving.add_done_callback(_reviving.discard)


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


def dies(*ids: str, back: float | None = None, **options: Unpack[Options]) -> Decorator:
    """`(call) -> bool`: whether a request kills the server, which is there again after `back` seconds (None: never)."""
    return lambda function: declare(
        function, ids, options, lambda place, kills: Deadly(place, of=kills, back=back), Layer.REQUEST
    )


def dies_of_hang_up(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(call) -> bool`: whether the server dies when the client of a request hangs up."""
    return lambda function: declare(
        function, ids, options, lambda place, kills: Deadly(place, of_hang_up=kills), Layer.REQUEST
    )
