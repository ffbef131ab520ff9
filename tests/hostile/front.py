"""A front before the mock server: answers of one kind are replaced by what a hostile server would send."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

from tests.accepting import accepting

PIECE = 1 << 16
STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")

END = b"\r\n0\r\n\r\n"
"""The end of a chunked answer: the server keeps the connection for the next request, and so does not close it."""

Send = Callable[[socket.socket, Iterator[bytes]], None]
"""Gets the client's connection and the honest answer, head and body, in pieces as it comes; what it leaves open is
closed by the client."""


def kind_of(head: bytes) -> str:
    """What an answer is: "refusal", "stream", "picture", "health" (anything else with status 200), or ""."""
    found = STATUS.match(head)
    status = int(found[1]) if found else 0
    if status >= 400:
        return "refusal"
    if b"text/event-stream" in head.lower():
        return "stream"
    if b"image/jpeg" in head.lower():
        return "picture"
    return "health" if status == 200 else ""


@contextlib.contextmanager
def front(upstream: tuple[str, int], kind: str, send: Send) -> Iterator[str]:
    """The URL of a front: answers of a kind are sent by `send`, all others as they come. Of kind "all" nothing is asked
    of the server behind."""

    def handle(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            if kind == "all":
                send(client, iter(()))
                _read_away(client)
                return
            with socket.create_connection(upstream) as server:
                threading.Thread(target=_pipe, args=(client, server), daemon=True).start()
                head = b""
                while b"\r\n\r\n" not in head and (piece := server.recv(PIECE)):
                    head += piece
                if kind_of(head) != kind:
                    client.sendall(head)
                    _pipe(server, client)
                    return
                send(client, _answer(head, server))
                _read_away(client)

    with accepting(handle) as url:
        yield url


def _answer(head: bytes, server: socket.socket) -> Iterator[bytes]:
    """The answer as it comes; it is read whether anybody takes it or not, since the server would wait."""
    pieces: SimpleQueue[bytes] = SimpleQueue()

    def read() -> None:
        with contextlib.suppress(OSError):
            tail = b""
            while not tail.endswith(END) and (piece := server.recv(PIECE)):
                pieces.put(piece)
                tail = (tail + piece)[-len(END) :]
        pieces.put(b"")

    threading.Thread(target=read, daemon=True).start()
    return itertools.chain((head,), iter(pieces.get, b""))


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


def _read_away(client: socket.socket) -> None:
    """Waits until the client has closed: closing first would reset what it has not read yet."""
    client.shutdown(socket.SHUT_WR)
    client.settimeout(60)
    while client.recv(PIECE):
        pass
