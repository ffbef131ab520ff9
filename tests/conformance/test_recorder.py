"""The recorder against servers that lie, drip, stall, flood and vanish: every exchange ends, with the right End."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conformance.recorder import Connection, Limits, Manner, Until
from conformance.transcript import End, Exchange, Request
from conformance.wire import Address
from tests.conformance.scripted_server import Script, read_head, reset, serving

GET = Request("GET", "/health")
POST = Request("POST", "/generate", (("Content-Type", "application/json"),), b'{"prompt": "a"}')
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GENEROUS = Limits(idle=30, total=60)


def ask(
    url: str,
    request: Request = GET,
    limits: Limits = GENEROUS,
    manner: Manner | None = None,
    until: Until | None = None,
) -> Exchange:
    return Connection(Address.of(url), limits, time.monotonic).exchange("x", request, manner, until)


def answer_with(data: bytes) -> Script:
    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(data)

    return script


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


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

    def until(piece: bytes) -> bool:
        go_on.set()
        return False

    with serving(script) as url:
        exchange = ask(url, until=until)
    assert [read.data for read in exchange.reads] == [b"first", b"secondthird"]
    assert exchange.head_at is not None
    assert exchange.head_at <= exchange.reads[0].at <= exchange.reads[1].at <= exchange.ended_at
    assert exchange.arrived(4) == exchange.reads[0].at
    assert exchange.arrived(5) == exchange.reads[1].at


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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", path, "-out", path],
        check=True,
        capture_output=True,
    )
    return path


def tls(certificate: Path, script: Script) -> Script:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrapped(connection: socket.socket, over: threading.Event) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            read_head(secure)
            script(secure, over)

    return wrapped


def test_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tls(certificate, answer_with(OK + b"Content-Length: 2\r\n\r\nok"))
    with serving(script, head_first=False) as url:
        plain = ask(url)
        untrusted = ask(url.replace("http:", "https:"))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusted = ask(url.replace("http:", "https:"))
    assert plain.status is None
    assert plain.end in (End.MALFORMED, End.RESET, End.TRUNCATED)
    assert untrusted.end is End.UNREACHABLE
    assert "certificate" in untrusted.detail.lower()
    assert (trusted.end, trusted.body) == (End.COMPLETE, b"ok")


def test_tls_against_a_plain_port_and_a_stalling_tls_server(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(answer_with(OK + b"\r\n")) as url:
        assert ask(url.replace("http:", "https:"), limits=Limits(2, 5)).end is End.UNREACHABLE
    with serving(tls(certificate, stall), head_first=False) as url:
        exchange = ask(url.replace("http:", "https:"), limits=Limits(0.3, 60))
    assert (exchange.end, exchange.body) == (End.IDLE_TIMEOUT, b"x")


def test_hanging_up_when_enough_was_seen() -> None:
    gone = threading.Event()

    def script(connection: socket.socket, over: threading.Event) -> None:
        with contextlib.suppress(OSError):
            drip(connection, over)
        gone.set()

    with serving(script) as url:
        exchange = ask(url, until=lambda piece: True)
        assert gone.wait(30)
    assert (exchange.end, exchange.body) == (End.HUNG_UP, b"x")


def test_hanging_up_from_another_thread() -> None:
    hangers: list[threading.Thread] = []
    with serving(stall) as url:
        connection = Connection(Address.of(url), GENEROUS, time.monotonic)

        def until(piece: bytes) -> bool:
            hangers.append(threading.Thread(target=connection.hang_up))
            hangers[0].start()
            return False

        exchange = connection.exchange("x", GET, until=until)
        hangers[0].join()
    assert (exchange.end, exchange.body) == (End.HUNG_UP, b"x")


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
        address = Address.of(url.replace("//", "//user:pass@") + "/base/")
        connection = Connection(address, GENEROUS, time.monotonic, secret)
        exchange = connection.exchange("x", POST)
        anonymous = connection.exchange("x", POST, Manner(anonymous=True))
        Connection(address, GENEROUS, time.monotonic).exchange("x", POST)
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
        exchange = ask(url, Request("POST", "/generate", (), body), manner=Manner(chunked=True))
    assert exchange.status == 200
    assert seen[0].partition(b"\r\n\r\n")[2].count(b"3e8\r\n") == 2
    assert exchange.request.header("transfer-encoding") == "chunked"
    assert exchange.request.header("content-length") is None
    assert exchange.request.body == body


def test_expecting_100_continue() -> None:
    order: list[str] = []

    def obedient(connection: socket.socket, over: threading.Event) -> None:
        order.append("head" if read_head(connection).endswith(b"\r\n\r\n") else "head and body")
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        order.append(connection.recv(65536).decode())
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    with serving(obedient, head_first=False) as url:
        exchange = ask(url, POST, manner=Manner(expect=True))
    assert order == ["head", POST.body.decode()]
    assert (exchange.end, exchange.status, exchange.interim) == (End.COMPLETE, 200, (100,))

    with serving(reading_all(POST.body, []), head_first=False) as url:
        patient = ask(url, POST, manner=Manner(expect=True))
    assert (patient.end, patient.status, patient.interim) == (End.COMPLETE, 200, ())

    seen: list[bytes] = []
    done = threading.Event()

    def refusing(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
        seen.append(connection.recv(65536))
        done.set()

    with serving(refusing) as url:
        refused = ask(url, POST, manner=Manner(expect=True))
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
    kept = Manner(keep_alive=True)
    with serving(answers(refusal, health)) as url:
        connection = Connection(Address.of(url), GENEROUS, time.monotonic)
        first = connection.exchange("a", POST, kept)
        second = connection.exchange("b", GET, kept)
        third = connection.exchange("c", GET, kept)
        connection.close()
    assert [(e.status, dict(e.notes)["reused-connection"]) for e in (first, second)] == [(400, "false"), (200, "true")]
    assert (third.end, third.status, dict(third.notes)["reused-connection"]) == (End.TRUNCATED, None, "true")


def test_a_connection_that_the_server_closes_is_dialled_again() -> None:
    closing = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with serving(answers(closing)) as url:
        connection = Connection(Address.of(url), GENEROUS, time.monotonic)
        both = [connection.exchange(label, GET, Manner(keep_alive=True)) for label in "ab"]
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
            exchange = ask(url, manner=Manner(raw=data, cut=cut))
            assert done.wait(30)
        assert (exchange.end, exchange.status) == (end, status)
        assert seen == [data, b""]
