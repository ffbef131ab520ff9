"""What servers do to a recorder: they answer, flood, drip, stall, fall silent and vanish; and asking them."""

from __future__ import annotations

import socket
import threading
import time

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.http.connection import Connection, SendOptions, StopWhen
from local_dream_conformance.http.patience import Limits, Patience
from tests.conformance.scripted_server import Script, reset

GET = Request("GET", "/health")
POST = Request("POST", "/generate", (("Content-Type", "application/json"),), b'{"prompt": "a"}')
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GENEROUS = Limits(idle=30, total=60)


def ask(
    url: str,
    request: Request = GET,
    limits: Limits = GENEROUS,
    send_options: SendOptions | None = None,
    stop_when: StopWhen | None = None,
) -> Exchange:
    connection = Connection(Address.parse(url), Patience(limits), time.monotonic)
    return connection.exchange("x", request, send_options, stop_when)


def answer_with(data: bytes) -> Script:
    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(data)

    return script


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def flood(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(CHUNKED)
    while not over.is_set():
        connection.sendall(chunk(b"x" * 65536))


def drip(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(CHUNKED)
    while not over.wait(0.05):
        connection.sendall(chunk(b"x"))


def drip_head(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(OK + b"X: ")
    while not over.wait(0.05):
        connection.sendall(b"x")


def patter(connection: socket.socket, over: threading.Event) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(CHUNKED)
    while not over.is_set():
        connection.sendall(chunk(b"x"))
        time.sleep(0)


def stall(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(CHUNKED + chunk(b"x"))
    over.wait()


def silence(connection: socket.socket, over: threading.Event) -> None:
    over.wait()


def vanish(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(CHUNKED + chunk(b"x"))
    reset(connection)
