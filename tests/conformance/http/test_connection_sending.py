"""What the recorder sends, how, and over which connection."""

from __future__ import annotations

import socket
import threading
import time

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.exchange import End, Request
from local_dream_conformance.http.connection import Connection, SendOptions
from local_dream_conformance.http.patience import Patience
from tests.conformance.http.wire_scripts import (
    GENEROUS,
    GET,
    OK,
    POST,
    ask,
)
from tests.conformance.scripted_server import Script, read_head, serving


def test_the_request_as_sent_and_as_recorded() -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket, over: threading.Event) -> None:
        data = read_head(connection)
        while not data.endswith(POST.body):
            data += connection.recv(65536)
        seen.append(data)
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    secret = (("Authorization", "Bearer s3cret"), ("X-Plain", "hidden"))
    with serving(script, head_first=False) as url:
        address = Address.parse(url.replace("//", "//user:pass@") + "/base/")
        connection = Connection(address, Patience(GENEROUS), time.monotonic, secret)
        exchange = connection.exchange("x", POST)
        anonymous = connection.exchange("x", POST, SendOptions(anonymous=True))
        Connection(address, Patience(GENEROUS), time.monotonic).exchange("x", POST)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /base/generate HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Authorization: Bearer s3cret" in head
    assert b"X-Plain: hidden" in head
    assert b"Content-Length: 15" in head
    assert body == POST.body
    assert exchange.request.target == "/base/generate"
    assert exchange.request.header("authorization") == "***"
    assert exchange.request.header("x-plain") == "***"
    assert exchange.request.header("content-type") == "application/json"
    assert "s3cret" not in repr(exchange)
    assert "pass" not in repr(exchange)
    assert b"Authorization" not in seen[1]
    assert anonymous.request.header("authorization") is None
    assert b"Authorization: Basic dXNlcjpwYXNz" in seen[2]


def reading_all(wanted: bytes, seen: list[bytes]) -> Script:
    """Reads until `wanted` has come, then answers."""

    def script(connection: socket.socket, over: threading.Event) -> None:
        data = b""
        while not data.endswith(wanted):
            data += connection.recv(65536)
        seen.append(data)
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    return script


def test_chunked_request_bodies() -> None:
    seen: list[bytes] = []
    body = bytes(range(256)) * 10
    with serving(reading_all(b"\r\n0\r\n\r\n", seen), head_first=False) as url:
        exchange = ask(url, Request("POST", "/generate", (), body), send_options=SendOptions(chunked=True))
    assert exchange.status == 200
    assert seen[0].partition(b"\r\n\r\n")[2].count(b"3e8\r\n") == 2
    assert exchange.request.header("transfer-encoding") == "chunked"
    assert exchange.request.header("content-length") is None
    assert exchange.request.body == body


def test_a_chunk_ends_within_a_character_where_it_is_to_be_torn() -> None:
    seen: list[bytes] = []
    body = '{"prompt": "caf\u00e9"}'.encode()
    for torn in (True, False):
        with serving(reading_all(b"\r\n0\r\n\r\n", seen), head_first=False) as url:
            ask(url, Request("POST", "/generate", (), body), send_options=SendOptions(chunked=True, torn=torn))
    assert [b"caf\xc3\r\n" in sent for sent in seen] == [True, False]


def test_a_body_in_two_parts() -> None:
    came: list[tuple[float, bytes]] = []

    def script(connection: socket.socket, over: threading.Event) -> None:
        while not b"".join(data for _, data in came).endswith(POST.body):
            data = connection.recv(65536)
            came.append((time.monotonic(), data))
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    for chunked in (False, True):
        came.clear()
        over = POST if not chunked else Request("POST", "/generate", (), POST.body)
        with serving(script if not chunked else reading_all(b"\r\n0\r\n\r\n", []), head_first=False) as url:
            exchange = ask(url, over, send_options=SendOptions(pause=0.3, chunked=chunked))
        assert (exchange.end, exchange.status, exchange.request.body) == (End.COMPLETE, 200, POST.body)
        assert exchange.ended_at >= 0.3
        if not chunked:
            half = POST.body[len(POST.body) // 2 :]
            assert (came[-1][1], came[-1][0] - came[0][0] > 0.25) == (half, True)


def test_expecting_100_continue() -> None:
    order: list[str] = []

    def obedient(connection: socket.socket, over: threading.Event) -> None:
        order.append("head" if read_head(connection).endswith(b"\r\n\r\n") else "head and body")
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        order.append(connection.recv(65536).decode())
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    with serving(obedient, head_first=False) as url:
        exchange = ask(url, POST, send_options=SendOptions(expect=True))
    assert order == ["head", POST.body.decode()]
    assert (exchange.end, exchange.status, exchange.interim) == (End.COMPLETE, 200, (100,))

    with serving(reading_all(POST.body, []), head_first=False) as url:
        patient = ask(url, POST, send_options=SendOptions(expect=True))
    assert (patient.end, patient.status, patient.interim) == (End.COMPLETE, 200, ())

    seen: list[bytes] = []
    done = threading.Event()

    def refusing_server(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
        seen.append(connection.recv(65536))
        done.set()

    with serving(refusing_server) as url:
        refused = ask(url, POST, send_options=SendOptions(expect=True))
        assert done.wait(30)
    assert (refused.end, refused.status) == (End.COMPLETE, 417)
    assert seen == [b""]


def answers(*heads: bytes) -> Script:
    def script(connection: socket.socket, over: threading.Event) -> None:
        for number, head in enumerate(heads):
            if number:
                read_head(connection)
            connection.sendall(head)

    return script


def test_keeping_a_connection() -> None:
    refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"
    health = OK + b"Content-Length: 0\r\n\r\n"
    kept = SendOptions(keep_alive=True)
    with serving(answers(refusal, health)) as url:
        connection = Connection(Address.parse(url), Patience(GENEROUS), time.monotonic)
        first = connection.exchange("a", POST, kept)
        second = connection.exchange("b", GET, kept)
        third = connection.exchange("c", GET, kept)
        connection.close()
    assert [(e.status, dict(e.notes)["reused-connection"]) for e in (first, second)] == [(400, "false"), (200, "true")]
    assert third.end in (End.TRUNCATED, End.RESET)  # as it was written before the server had closed, or after
    assert (third.status, dict(third.notes)["reused-connection"]) == (None, "true")


def test_a_connection_that_the_server_closes_is_dialled_again() -> None:
    closing = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with serving(answers(closing)) as url:
        connection = Connection(Address.parse(url), Patience(GENEROUS), time.monotonic)
        both = [connection.exchange(label, GET, SendOptions(keep_alive=True)) for label in "ab"]
    assert [(e.status, dict(e.notes)["reused-connection"]) for e in both] == [(400, "false"), (400, "false")]


def test_raw_bytes() -> None:
    seen: list[bytes] = []
    done = threading.Event()

    def script(connection: socket.socket, over: threading.Event) -> None:
        seen.append(connection.recv(65536))
        if seen[0] != b"half":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        seen.append(connection.recv(65536))
        done.set()

    for data, cut, end, status in (
        (b"\0\1 nonsense\r\n\r\n", False, End.COMPLETE, 400),
        (b"half", True, End.HUNG_UP, None),
    ):
        seen.clear()
        done.clear()
        with serving(script, head_first=False) as url:
            exchange = ask(url, send_options=SendOptions(raw=data, cut=cut))
            assert done.wait(30)
        assert (exchange.end, exchange.status) == (end, status)
        assert seen == [data, b""]
