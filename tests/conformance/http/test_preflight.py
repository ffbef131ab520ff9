"""What is turned away before the first scenario, against real sockets."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http import preflight
from local_dream_conformance.http.preflight import Unreachable
from tests.ports import free_port

Answer = Callable[[str], bytes | None]


@contextmanager
def listening(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that gives each request line's answer and closes; None: says nothing until it is stopped."""
    stopped = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            talk(connection)

    def talk(connection: socket.socket) -> None:
        secured = connection if context is None else context.wrap_socket(connection, server_side=True)
        with secured as connection:
            words = connection.recv(65536).decode("latin-1").split(" ")
            said = answer(" ".join(words[:2]))
            if said is None:
                stopped.wait()
            else:
                connection.sendall(said)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        stopped.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def head(status: int, content_type: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: 0\r\n\r\n".encode()


def reach(url: str) -> None:
    preflight.reach(Settings(url, idle_timeout=1.0))


def refusal(url: str) -> str:
    with pytest.raises(Unreachable) as caught:
        reach(url)
    message = str(caught.value)
    assert message.isprintable()
    assert "\n" not in message
    return message


def test_a_healthy_server_is_asked_once() -> None:
    asked: list[str] = []

    def answer(line: str) -> bytes:
        asked.append(line)
        return head(200, "text/plain")

    with listening(answer) as url:
        reach(url)
    assert asked == ["GET /health"]


@pytest.mark.parametrize("health", [head(500), head(404), b"garbage\r\n\r\n", b"", head(200, "text/html")])
def test_a_server_whose_health_is_broken_is_worth_judging(health: bytes) -> None:
    with listening(lambda line: health if line == "GET /health" else head(400)) as url:
        reach(url)


def test_an_upscaler_alone_is_worth_judging() -> None:
    with listening(lambda line: head(400) if line == "POST /upscale" else head(404)) as url:
        reach(url)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_another_web_server_is_turned_away(status: int) -> None:
    with listening(lambda line: head(status, "text/html")) as url:
        assert f"is not this API: GET /health is answered with status {status}" in refusal(url)


def test_a_server_that_shows_one_page_for_everything_is_turned_away() -> None:
    with listening(lambda line: head(200, "text/html; charset=utf-8")) as url:
        assert "status 200 and a web page" in refusal(url)


def test_a_silent_port() -> None:
    with listening(lambda line: None) as url:
        assert refusal(url) == f"{url} accepts connections but says nothing (no answer to GET /health within 1 s)"


def test_a_head_that_drips_for_ever() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def drip() -> None:
        with suppress(OSError):
            while not done.is_set():
                connection, _ = server.accept()
                threading.Thread(target=drip_on, args=(connection,), daemon=True).start()

    def drip_on(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.sendall(b"HTTP/1.1 200 ")
            while not done.wait(0.05):
                connection.sendall(b"O")

    threading.Thread(target=drip, daemon=True).start()
    try:
        assert "accepts connections but says nothing" in refusal(f"http://127.0.0.1:{server.getsockname()[1]}")
    finally:
        done.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def test_a_port_that_does_not_speak_http_is_shown_without_its_escapes() -> None:
    with listening(lambda line: b"\x1b[2JSSH-2.0-server\r\n") as url:
        assert "does not answer in HTTP" in refusal(url)


def test_a_closed_port() -> None:
    port = free_port()
    assert refusal(f"http://127.0.0.1:{port}").startswith(f"nothing answers at http://127.0.0.1:{port} (")


def test_a_name_that_does_not_exist() -> None:
    assert "the host name cannot be resolved" in refusal("http://nowhere.invalid:8081")


def test_passwords_in_the_address_are_not_shown() -> None:
    port = free_port()
    assert "s3cret" not in refusal(f"http://user:s3cret@127.0.0.1:{port}")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate with its key in one file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run(
        [*command, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


def test_tls_is_told_from_http(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with listening(lambda line: head(200), context) as url:
        assert refusal(url) == f"{url} speaks TLS; give its address with https://"
        assert "its TLS certificate is not trusted" in refusal(url.replace("http", "https"))
    with listening(lambda line: head(400)) as url:
        assert "does not speak TLS; try http://" in refusal(url.replace("http", "https"))


def test_python_own_web_server_is_turned_away(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        port = server.stdout.readline().split()[5].decode()
        assert "there is no /generate or /upscale either" in refusal(f"http://127.0.0.1:{port}")
        server.stdout.close()
    finally:
        server.kill()
        server.wait()


def test_a_plain_address_needs_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *given, **named: loaded.append(given))
    with listening(lambda line: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as url:
        preflight.reach(Settings(url))
    assert loaded == []
