"""The proxy's connection to a client, as mutators use it (see `mutator.Out`)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys

if sys.platform != "win32":
    from fcntl import ioctl
    from termios import TIOCOUTQ

NOW = struct.pack("ii", 1, 0)
"""SO_LINGER: close at once, with a reset."""
UNREAD_SECONDS = 60.0
"""How long a client may take to read a piece of at most 64 KiB before it counts as gone."""
FLUSH_SECONDS = 2.0
"""How long a reset waits at most until what was sent before it has reached the client."""


class ClientSide:
    """Writes to one client. After `close` and `reset` it swallows what is written."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._gone = asyncio.Event()
        self.closed = False
        writer.transport.set_write_buffer_limits(0)

    def left(self) -> None:
        """The client has closed its end."""
        self._gone.set()

    async def write(self, data: bytes) -> None:
        if not self.closed and data:
            if self._writer.transport.is_closing():  # uvloop would raise RuntimeError, which is no OSError
                raise ConnectionResetError("the client has gone")
            self._writer.write(data)
            try:
                async with asyncio.timeout(UNREAD_SECONDS):
                    await self._writer.drain()
            except TimeoutError:
                self._writer.transport.abort()  # what is unsent would keep the connection
                raise

    async def close(self, within: float = UNREAD_SECONDS) -> None:
        """Ends the connection in order, as far as the client reads what it was sent `within` so many seconds."""
        self.closed = True
        self._writer.close()
        try:
            async with asyncio.timeout(within):
                await closed(self._writer)
        except TimeoutError:
            pass
        finally:
            self._writer.transport.abort()  # what is unsent would keep the connection

    async def reset(self) -> None:
        self.closed = True
        connection: socket.socket | None = self._writer.get_extra_info("socket")
        if connection is not None:
            await self._flushed(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)
        self._writer.transport.abort()
        await closed(self._writer)

    async def gone(self) -> None:
        await self._gone.wait()

    async def _flushed(self, connection: socket.socket) -> None:
        """Waits for the kernel: a reset throws away what it has not sent yet, and would come too early."""
        for _ in range(int(FLUSH_SECONDS / 0.01)):
            if self._gone.is_set() or not _waiting(connection):
                return
            await asyncio.sleep(0.01)


def _waiting(connection: socket.socket) -> int:
    """Bytes that were sent and have not reached the client; 0 on Windows, where a reset may overtake them."""
    waiting = 0
    if sys.platform != "win32":
        waiting = int(struct.unpack("i", ioctl(connection.fileno(), TIOCOUTQ, b"\0\0\0\0"))[0])
    return waiting


async def closed(writer: asyncio.StreamWriter) -> None:
    """Waits until a connection that is being closed is closed, however it ends."""
    with contextlib.suppress(OSError):
        await writer.wait_closed()
