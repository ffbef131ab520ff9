"""The recorder against servers that lie, drip, stall, flood and vanish: every exchange ends, with the right End."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.exchange import End, Request
from local_dream_conformance.http.connection import Connection
from local_dream_conformance.http.patience import Limits, Patience
from tests.conformance.http.wire_scripts import (
    CHUNKED,
    GENEROUS,
    GET,
    OK,
    answer_with,
    ask,
    chunk,
    drip,
    drip_head,
    flood,
    patter,
    silence,
    stall,
    vanish,
)
from tests.conformance.scripted_server import Script, serving


@pytest.mark.parametrize(
    ("data", "end", "status", "body"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", End.COMPLETE, 200, b"hello"),
        (CHUNKED + chunk(b"he") + chunk(b"llo") + b"0\r\n\r\n", End.COMPLETE, 200, b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", End.EOF, 200, b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", End.COMPLETE, 204, b""),
        (OK + b"Content-Length: 9\r\n\r\nhello", End.TRUNCATED, 200, b"hello"),
        (CHUNKED + chunk(b"hello"), End.TRUNCATED, 200, b"hello"),
        (CHUNKED + b"5\r\nhel", End.TRUNCATED, 200, b"hel"),
        (OK + b"Content-Len", End.TRUNCATED, None, b""),
        (b"", End.TRUNCATED, None, b""),
        (b"SSH-2.0-OpenSSH_9\r\n", End.MALFORMED, None, b""),
        (b"\x15\x03\x01\x00\x02\x02\x46", End.MALFORMED, None, b""),
        (CHUNKED + chunk(b"hello") + b"zz\r\n", End.MALFORMED, 200, b"hello"),
        (OK + b"Content-Length: -5\r\n\r\nhello", End.MALFORMED, None, b""),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", End.MALFORMED, None, b""),
        (OK + b"X: " + b"a" * (2 << 20) + b"\r\n\r\n", End.TOO_LARGE, None, b""),
        (b"HTTP/1.1 102 Processing\r\n\r\n" * 200, End.TOO_LARGE, None, b""),
    ],
)
def test_how_an_answer_ends(data: bytes, end: End, status: int | None, body: bytes) -> None:
    with serving(answer_with(data)) as url:
        exchange = ask(url)
    assert (exchange.end, exchange.status, exchange.body) == (end, status, body)
    assert bool(exchange.detail) == (end not in (End.COMPLETE, End.EOF))
    assert exchange.detail.isprintable()


def test_bytes_after_the_answer_are_noted() -> None:
    with serving(answer_with(OK + b"Content-Length: 2\r\n\r\nokHTTP/1.1 extra")) as url:
        exchange = ask(url)
    assert exchange.end is End.COMPLETE
    assert exchange.notes == (("bytes-after-the-answer", "14"),)


def test_heads_are_kept_as_they_came() -> None:
    head = b"HTTP/1.1 418 I'm a Teapot\r\nX-B: 1\r\nx-a:  2 \r\nX-B: \xe9\r\nContent-Length: 0\r\n\r\n"
    with serving(answer_with(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + head)) as url:
        exchange = ask(url)
    assert (exchange.status, exchange.reason, exchange.http_version) == (418, "I'm a Teapot", "1.1")
    assert exchange.headers == (("X-B", "1"), ("x-a", "2"), ("X-B", "é"), ("Content-Length", "0"))
    assert exchange.interim == (103,)
    assert exchange.head_at is not None


def test_pieces_are_kept_with_their_times() -> None:
    go_on = threading.Event()

    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(CHUNKED + chunk(b"first"))
        go_on.wait(30)
        connection.sendall(chunk(b"second") + chunk(b"third") + b"0\r\n\r\n")

    def stop_when(piece: bytes) -> bool:
        go_on.set()
        return False

    with serving(script) as url:
        exchange = ask(url, stop_when=stop_when)
    assert [read.data for read in exchange.reads] == [b"first", b"secondthird"]
    assert exchange.head_at is not None
    assert exchange.head_at <= exchange.reads[0].at <= exchange.reads[1].at <= exchange.ended_at
    assert exchange.arrived(4) == exchange.reads[0].at
    assert exchange.arrived(5) == exchange.reads[1].at


@pytest.mark.parametrize(
    ("script", "limits", "end"),
    [
        (flood, Limits(30, 60, size=1 << 20), End.TOO_LARGE),
        (patter, Limits(30, 60, reads=50), End.TOO_LARGE),
        (drip, Limits(30, 0.5), End.TOTAL_TIMEOUT),
        (drip_head, Limits(30, 0.5), End.TOTAL_TIMEOUT),
        (stall, Limits(0.2, 60), End.IDLE_TIMEOUT),
        (silence, Limits(0.2, 60), End.IDLE_TIMEOUT),
        (silence, Limits(60, 0.2), End.TOTAL_TIMEOUT),
        (vanish, GENEROUS, End.RESET),
    ],
)
def test_limits(script: Script, limits: Limits, end: End) -> None:
    with serving(script) as url:
        exchange = ask(url, limits=limits)
    assert exchange.end is end
    assert exchange.detail
    assert len(exchange.body) < (2 << 20)
    assert len(exchange.reads) <= limits.reads + 1


def test_a_server_that_reads_nothing() -> None:
    request = Request("POST", "/upscale", (), bytes(64 << 20))
    with serving(silence, head_first=False) as url:
        exchange = ask(url, request, Limits(0.3, 60))
    assert exchange.end is End.IDLE_TIMEOUT
    assert "did not read" in exchange.detail


def test_an_answer_before_the_body_was_read() -> None:
    """A server may refuse and close at once; what it said counts, though the rest of the body cannot be sent."""
    received = threading.Event()

    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        received.wait(30)

    with serving(script) as url:
        exchange = ask(url, Request("POST", "/upscale", (), bytes(1000)))
        received.set()
    assert (exchange.end, exchange.status) == (End.COMPLETE, 413)


def test_unreachable() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    for url in (f"http://127.0.0.1:{port}", "http://host.invalid:80"):
        exchange = ask(url, limits=Limits(5, 5))
        assert (exchange.end, exchange.status) == (End.UNREACHABLE, None)
        assert "no connection to" in exchange.detail


def test_hanging_up_when_enough_was_seen() -> None:
    gone = threading.Event()

    def script(connection: socket.socket, over: threading.Event) -> None:
        with contextlib.suppress(OSError):
            drip(connection, over)
        gone.set()

    with serving(script) as url:
        exchange = ask(url, stop_when=lambda piece: True)
        assert gone.wait(30)
    assert (exchange.end, exchange.body) == (End.HUNG_UP, b"x")


def test_hanging_up_from_another_thread() -> None:
    hangers: list[threading.Thread] = []
    with serving(stall) as url:
        connection = Connection(Address.parse(url), Patience(GENEROUS), time.monotonic)

        def stop_when(piece: bytes) -> bool:
            hangers.append(threading.Thread(target=connection.hang_up))
            hangers[0].start()
            return False

        exchange = connection.exchange("x", GET, stop_when=stop_when)
        hangers[0].join()
    assert (exchange.end, exchange.body) == (End.HUNG_UP, b"x")
