"""What holds for every path, and for the process: routes, garbage, start, stop, logs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request

from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.generate import GenerateEndpoint
from local_dream_mockserver.server.run import CannotListen, listen
from tests.mockserver.live_server import PATIENCE, events_of, running, serving, small


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine()) as client:
        yield client


def test_health(client: httpx.Client) -> None:
    assert client.get("/health").status_code == 200
    head = client.head("/health")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/nope", "/health/", "/generate/", "/generate/x", "/%00", "/..%2f"])
def test_unknown_path(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "request_error"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/health", {"GET", "HEAD"}),
        ("DELETE", "/health", {"GET", "HEAD"}),
        ("OPTIONS", "/health", {"GET", "HEAD"}),
        ("GET", "/generate", {"POST"}),
        ("PUT", "/upscale", {"POST"}),
    ],
)
def test_wrong_method(client: httpx.Client, method: str, path: str, allow: set[str]) -> None:
    response = client.request(method, path)
    assert response.status_code == 405
    assert {name.strip() for name in response.headers["allow"].split(",")} == allow
    assert response.json()["error"]["type"] == "request_error"


def say(client: httpx.Client, data: bytes) -> bytes:
    url = urlsplit(str(client.base_url))
    with socket.create_connection((url.hostname, url.port), PATIENCE) as connection:
        connection.sendall(data)
        answer = b""
        while b"}}" not in answer and (piece := connection.recv(65536)):
            answer += piece
        return answer


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /health HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /generate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http_gets_the_envelope(client: httpx.Client, data: bytes) -> None:
    answer = say(client, data)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b'{"error": {"message": "Invalid HTTP request received.", "type": "request_error"}}')
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    "data",
    [b"GET /" + b"x" * 70_000, b"GET /health HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000))],
)
def test_a_head_without_end_is_cut_off(client: httpx.Client, data: bytes) -> None:
    answer = say(client, data)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"type": "request_error"' in answer


def test_an_unexpected_failure_has_an_envelope_and_logs_no_prompt(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(GenerateEndpoint):
        def read(self, body: bytes, request: Request) -> Any:
            raise ZeroDivisionError(body.decode())

    with running(create_app(SyntheticEngine(), generate=Broken)) as url:
        response = httpx.post(f"{url}/generate", json=small("secret words"))
    assert response.status_code == 500
    assert response.json() == {"error": {"message": "the server failed (ZeroDivisionError)", "type": "server_error"}}
    assert "ZeroDivisionError" in caplog.text
    assert "secret words" not in caplog.text


def test_a_door_stands_before_the_routes() -> None:
    from starlette.middleware import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
    from starlette.responses import Response

    async def knock(request: Request, go_on: RequestResponseEndpoint) -> Response:
        return Response(status_code=418) if "X-Door" in request.headers else await go_on(request)

    app = create_app(SyntheticEngine(), middleware=[Middleware(BaseHTTPMiddleware, dispatch=knock)])
    with running(app) as url:
        assert httpx.get(f"{url}/health", headers={"X-Door": "1"}).status_code == 418
        assert httpx.get(f"{url}/health").status_code == 200


@contextmanager
def process(
    *options: str, module: str = "local_dream_mockserver", played: str = ""
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server as a process, with the URL from its ready line, which names what is `played` (release, quirk), too."""
    command = [sys.executable, "-m", module, "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            word, url, *about = server.stdout.readline().split()
            assert word == "ready"
            assert about == ["synthetic", "cpu", *played.split()]
            yield server, url
        finally:
            server.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ready_then_served_then_stopped_cleanly(number: signal.Signals) -> None:
    with process("--access-log") as (server, url):
        assert url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{url}/health").status_code == 200
        assert httpx.post(f"{url}/generate", json=small("secret words")).status_code == 200
        server.send_signal(number)
        out, errors = server.communicate(timeout=PATIENCE)
    assert server.returncode == 0
    assert out == ""
    assert '"POST /generate HTTP/1.1" 200' in errors
    assert "secret words" not in errors
    assert "Traceback" not in errors


def test_stopped_in_the_middle_of_a_generation() -> None:
    with process("--pace-step", "3600") as (server, url), httpx.Client(base_url=url, timeout=PATIENCE) as client:
        with client.stream("POST", "/generate", json=small()) as response:
            assert response.status_code == 200
            server.send_signal(signal.SIGTERM)
            events = events_of(response.read().decode())
        assert events[-1] == {"type": "error", "message": "the server is being stopped"}
        _, errors = server.communicate(timeout=PATIENCE)
        assert "Traceback" not in errors
    assert server.returncode == 0


def test_a_taken_port_is_one_clear_line() -> None:
    with process() as (_, url):
        port = str(urlsplit(url).port)
        second = subprocess.run(
            [sys.executable, "-m", "local_dream_mockserver", "--port", port],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr.splitlines() == [
        f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use; choose another --host or --port"
    ]


@pytest.mark.parametrize("options", [["--port", "70000"], ["--pace-step", "-1"], ["--max-waiting", "x"], ["--zap"]])
def test_a_wrong_option_is_named(options: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local_dream_mockserver", *options], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 2
    assert options[0] in done.stderr.splitlines()[-1]


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(CannotListen, match=r"cannot listen on no\.such\.host\.invalid port 0"):
        listen("no.such.host.invalid", 0)


def test_the_server_needs_neither_torch_nor_the_other_packages() -> None:
    code = (
        "import sys, local_dream_mockserver.commands.mock;"
        "print(sorted({name.split('.')[0] for name in sys.modules}"
        " & {'torch', 'diffusers', 'local_dream_conformance', 'local_dream_reference', 'pytest', 'schemathesis',"
        " 'httpx'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), check=True
    )
    assert done.stdout == "[]\n"
