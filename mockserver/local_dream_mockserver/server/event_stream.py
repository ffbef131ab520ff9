"""The streamed answer of POST /generate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_dream_mockserver.server.connection import ClientGone, while_connected


class EventStream(Response):
    """Sends each piece as soon as it is there, and calls `close` when the answer is over or the client has gone."""

    def __init__(self, pieces: AsyncIterator[bytes], close: Callable[[], None], write_idle: float) -> None:
        self.pieces = pieces
        self.close = close
        self.write_idle = write_idle
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers({"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await while_connected(receive, self._send(send))
        except (ClientGone, OSError, TimeoutError):
            return
        finally:
            self.close()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self.pieces:
            # Not wait_for: in Python 3.11 it loses a cancellation that comes while the send ends, and the client has
            # gone unnoticed then.
            async with asyncio.timeout(self.write_idle):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
