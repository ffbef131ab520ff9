"""A TCP server that keeps every byte that it gets, and answers with the bytes that the test gave it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

PATIENCE = 20.0


class Scripted:
    """Waits for `after` bytes, then sends the next answer; with the last one it closes if `closes`."""

    def __init__(self, answers: Sequence[tuple[int, bytes]], closes: bool) -> None:
        self.answers = answers
        self.closes = closes
        self.received = bytearray()
        self.left = threading.Event()
        """The client has closed its end."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE)
        with connection:
            for after, answer in self.answers:
                while len(self.received) < after:
                    self.received += connection.recv(65536)
                connection.sendall(answer)
            if self.closes:
                return
            try:
                while data := connection.recv(65536):
                    self.received += data
            except ConnectionResetError:
                pass
            self.left.set()


@contextmanager
def scripted(answers: Sequence[tuple[int, bytes]], closes: bool = False) -> Iterator[Scripted]:
    """A server for one connection. Each answer is sent after so many bytes in all."""
    server = Scripted(answers, closes)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        thread.join(PATIENCE)
        server.listener.close()
        assert not thread.is_alive()


def dial(url: str) -> socket.socket:
    """A connection to http://HOST:PORT."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def read_all(connection: socket.socket) -> tuple[bytes, bool]:
    """All that comes until the end of the connection, and whether that was a reset."""
    data = bytearray()
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError:
        return bytes(data), True
    return bytes(data), False


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """What comes until it ends with `end`."""
    data = b""
    while not data.endswith(end):
        piece = connection.recv(65536)
        assert piece, data
        data += piece
    return data
