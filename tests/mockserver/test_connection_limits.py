"""Connections that do nothing, or too little, and more of them than the server takes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from starlette.responses import Response

from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.connection_limits import ConnectionLimits
from local_dream_mockserver.server.http_protocol import HttpProtocol
from tests.mockserver.live_server import PATIENCE, GatedEngine, dialled, eventually, running, serving, small


def heard(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    return answer


@pytest.fixture(scope="module")
def hasty() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(), ConnectionLimits(head=0.3)) as client:
        yield client


def test_a_connection_that_sends_nothing_is_closed(hasty: httpx.Client) -> None:
    with dialled(hasty) as connection:
        assert heard(connection) == b""


@pytest.mark.parametrize("begun", [b"G", b"GET /health HTTP/1.1\r\nHost: x\r\n"])
def test_half_a_head_is_answered_with_408(hasty: httpx.Client, begun: bytes) -> None:
    with dialled(hasty) as connection:
        connection.sendall(begun)
        answer = heard(connection)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b'"type": "request_error"' in answer


CHUNKED = b"POST /generate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"GET /health HTTP/1.1\r\nHost: x\r\nX: ", b"HTTP/1.1 431 "),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nX", b"HTTP/1.1 431 "),
        (b"GET /health?", b"HTTP/1.1 431 "),
        (CHUNKED + b"1;a=", b""),
        (CHUNKED + b"0\r\nX: ", b""),
        (CHUNKED + b"0\r\nX", b""),
    ],
    ids=["value", "name", "path", "chunk extension", "trailer", "trailer's name"],
)
def test_what_has_no_end_is_not_kept(begun: bytes, status: bytes) -> None:
    answer, sent = b"", 0
    with serving(SyntheticEngine()) as client, dialled(client) as connection:
        connection.sendall(begun)
        with suppress(ConnectionError):
            while sent < 64 << 20:
                connection.sendall(b"y" * 65536)
                sent += 65536
        with suppress(ConnectionError):
            answer = heard(connection)
        assert client.get("/health").status_code == 200
    assert sent < 64 << 20
    assert answer.startswith(status) or not answer  # what the system has of it is lost where more came meanwhile


def test_blank_lines_are_no_head(hasty: httpx.Client) -> None:
    with dialled(hasty) as connection:
        connection.sendall(b"\r\n\r\n")
        assert heard(connection) == b""


def test_a_request_that_takes_long_is_not_cut() -> None:
    engine = GatedEngine()
    with (
        serving(engine, ConnectionLimits(head=0.1), head_within=0) as client,
        dialled(client) as idle,
        client.stream("POST", "/generate", json=small()) as response,
    ):
        assert heard(idle) == b""  # so much time has passed
        engine.free.set()
        assert "event: complete" in response.read().decode()


def test_an_idle_connection_gives_way(caplog: pytest.LogCaptureFixture) -> None:
    with serving(SyntheticEngine(), ConnectionLimits(most=2)) as client:
        with dialled(client) as first, dialled(client) as second:
            assert client.get("/health").status_code == 200
            assert heard(first) == b""
            second.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert second.recv(100).startswith(b"HTTP/1.1 200 ")
        assert caplog.text.count("all 2 connections are taken") == 1


def test_a_connection_too_many_is_answered_with_503() -> None:
    engine = GatedEngine()
    with (
        serving(engine, ConnectionLimits(most=1), head_within=0) as client,
        client.stream("POST", "/generate", json=small()) as response,
    ):
        with dialled(client) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: ")
        assert answer.endswith(b'"type": "server_error"}}')
        engine.free.set()
        assert "event: complete" in response.read().decode()


def test_an_answer_that_nobody_reads_is_given_up() -> None:
    lost = threading.Event()

    class Watched(HttpProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    app = Response(bytes(50_000_000))
    with (
        running(app, Watched, ConnectionLimits(unread=0.1)) as url,
        httpx.Client(base_url=url) as client,
        dialled(client) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert lost.wait(PATIENCE)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET /health HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /health HTTP/1.0\r\n\r\n", 200),
    ],
)
def test_one_host(hasty: httpx.Client, head: bytes, status: int) -> None:
    with dialled(hasty) as connection:
        connection.sendall(head)
        answer = heard(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert (b'{"error": {"message": "Host: sent ' in answer) == (status == 400)


def test_all_bodies_together_have_a_bound() -> None:
    with serving(SyntheticEngine(), max_body=800, max_bodies=1000) as client:
        with dialled(client) as connection:
            connection.sendall(b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 800\r\n\r\n" + bytes(700))
            asked = small("y" * 500)
            eventually(lambda: client.post("/generate", json=asked).status_code == 503)
            refused = client.post("/generate", json=asked)
            assert refused.json()["error"]["type"] == "server_error"
            assert int(refused.headers["retry-after"]) > 0
            assert client.post("/generate", json=small()).status_code == 200
        eventually(lambda: client.post("/generate", json=asked).status_code == 200)


def test_a_body_that_trickles_is_given_up() -> None:
    with serving(SyntheticEngine(), body_whole=0.3) as client, dialled(client) as connection:
        connection.sendall(b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 800\r\n\r\n")
        answer = b""
        connection.settimeout(0.05)
        while not answer:
            connection.sendall(b" ")
            try:
                answer = connection.recv(65536)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")
