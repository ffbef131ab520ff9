"""Connections that the server reads itself until a request comes that needs the proxy before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias, cast

from local_dream_mockserver.proxy.proxy import PIECE, Proxy
from local_dream_mockserver.server.http_protocol import HttpProtocol

NeedsProxy: TypeAlias = Callable[[bytes], bool]
"""Whether a request is one for the proxy, by the bytes that have come of it."""


class Handover(asyncio.Protocol):
    """One connection. Between two requests it may be given to the proxy, with what has come of the next one; it then
    stays there, and the server's protocol has nothing to do with it any more. Requests that come while one is being
    answered (pipelined ones) are the server's."""

    def __init__(self, server: HttpProtocol, proxy: Proxy, needs_proxy: NeedsProxy, port: int) -> None:
        """`port` is the one that clients know; at any other a connection is the server's."""
        self._server = server
        self._proxy = proxy
        self._needs_proxy = needs_proxy
        self._port = port
        self._begun = b""
        """All that has come of a request of which the server has got a part of the head, and nothing else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if transport.get_extra_info("sockname")[1] != self._port:
            self._transport.set_protocol(self._server)
        self._server.connection_made(self._transport)

    def data_received(self, data: bytes) -> None:
        server = self._server
        if not self._begun and not server.between_requests:
            server.data_received(data)
            return
        begun = self._begun + data if self._begun else data
        if self._needs_proxy(begun):
            self._give(begun)
            return
        server.data_received(data)
        self._begun = begun if server.head_begun and server.idle else b""

    def _give(self, begun: bytes) -> None:
        full = self._server.flow.write_paused
        self._server.leave()
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=PIECE, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, self._proxy.accept, loop=loop)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if full:  # the transport does not say so again, only when there is room
            protocol.pause_writing()
        protocol.data_received(begun)

    def eof_received(self) -> bool | None:
        self._server.eof_received()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connection_lost(exc)

    def pause_writing(self) -> None:
        self._server.pause_writing()

    def resume_writing(self) -> None:
        self._server.resume_writing()
