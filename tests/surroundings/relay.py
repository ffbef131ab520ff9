"""A network between a client and a server: so far away, and so narrow."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.accepting import accepting

PIECE = 1460
"""Bytes of a packet."""
WINDOW = 64
"""Packets on the way at a time, in each direction."""


@contextmanager
def relayed(url: str, round_trip: float, rate: float) -> Iterator[str]:
    """The address at which the server at `url` is `round_trip` seconds away, and sends and gets `rate` bytes a second
    on each connection."""
    parts = urlsplit(url)
    place = (parts.hostname or "", parts.port or 80)
    connections: list[socket.socket] = []

    def join(client: socket.socket) -> None:
        time.sleep(round_trip)  # the handshake
        server = socket.create_connection(place)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections.append(one)
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=_carry, args=(source, sink, round_trip / 2, rate), daemon=True).start()

    try:
        with accepting(join) as address:
            yield address
    finally:
        for one in connections:
            one.close()


def _carry(source: socket.socket, sink: socket.socket, delay: float, rate: float) -> None:
    """Everything from one side to the other, in order: first what is sent, then how its end was."""
    sent: queue.Queue[tuple[float, bytes]] = queue.Queue(WINDOW)

    def deliver() -> None:
        with contextlib.suppress(OSError):
            while True:
                due, piece = sent.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not piece:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(piece)
        source.close()  # the other side has gone: who sends is to know

    threading.Thread(target=deliver, daemon=True).start()
    free = 0.0
    while True:
        try:
            piece = source.recv(PIECE)
        except OSError:
            piece = b""
        free = max(free, time.monotonic()) + len(piece) / rate
        time.sleep(max(0.0, free - time.monotonic()))
        sent.put((time.monotonic() + delay, piece))
        if not piece:
            return
