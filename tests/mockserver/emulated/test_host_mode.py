"""The control API of release 2.8.1, byte by byte, as its published source has it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.types import ASGIApp

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.emulated import host_mode
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server import clock
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.run import listen, url_of
from tests.mockserver.live_server import PATIENCE, running

RUNNING = (
    b'{"serving_model_id":"synthetic","state":"running","message":null,"error_model_id":null,"width":%d,"height":%d}'
)
IDLE = b'{"serving_model_id":null,"state":"idle","message":null,"error_model_id":null,"width":null,"height":null}'


@pytest.fixture
def control() -> Iterator[str]:
    listener = listen("127.0.0.1", 0)
    hooks = personalities()["2.8"].make()
    settings = ServerSettings(control_port=listener.getsockname()[1])
    app: ASGIApp = create_faulty_app(SyntheticEngine(Pacing(first=0, step=0)), settings, lambda scope: hooks)
    with listener, running(app, hooks.http, control=listener):
        yield url_of(listener)


def said(control: str, request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, headers in lower case, and body; the server closes after them."""
    url = urlsplit(control)
    with socket.create_connection((url.hostname, url.port), PATIENCE) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return status, {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}, body


def ask(control: str, method: str, path: str, body: bytes | None = None, more: str = "") -> bytes:
    """The body of the answer."""
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    request = f"{method} {path} HTTP/1.1\r\nHost: phone\r\n{length}{more}\r\n".encode() + (body or b"")
    return said(control, request)[2]


def post(control: str, path: str, values: object) -> bytes:
    return ask(control, "POST", path, json.dumps(values).encode())


def test_an_answer_is_compact_and_ends_the_connection(control: str) -> None:
    status, headers, body = said(control, b"GET /info HTTP/1.1\r\nHost: phone\r\nConnection: keep-alive\r\n\r\n")
    assert status == b"HTTP/1.1 200 OK"
    assert body == b'{"app":"localdream","protocol":1,"version":"2.8.1","device":"phone"}'
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == b"%d" % len(body)
    assert headers[b"connection"] == b"close"
    assert not any(name.startswith(b"access-control") for name in headers)


def test_info_answers_every_method_and_nothing_else_does(control: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        assert b"localdream" in ask(control, method, "/info?x=1")
    for method, path in (
        *(("POST", "/models"), ("POST", "/status"), ("GET", "/select"), ("GET", "/stop"), ("OPTIONS", "/select")),
        *(("GET", "/"), ("GET", "/info/"), ("GET", "/Info"), ("GET", "/%69nfo"), ("GET", "/health")),
        *(("POST", "/generate"), ("GET", "/docs")),
    ):
        assert ask(control, method, path) == b'{"error":"not found"}', path


def test_what_it_does_not_read_means_nothing(control: str) -> None:
    for body in (b"", b"[]", b"{", b"\xff", b"null"):
        assert ask(control, "POST", "/select", body) == b'{"error":"model not found"}'
    assert post(control, "/select", {"model_id": "synthetic", "width": "640", "height": 384.9}) == b'{"ok":true}'
    assert ask(control, "GET", "/status") == RUNNING % (640, 384)
    assert post(control, "/select", {"model_id": "synthetic", "width": "wide", "height": None}) == b'{"ok":true}'
    assert ask(control, "GET", "/status") == RUNNING % (512, 512)


def test_a_stop_waits_and_a_late_one_is_ignored(control: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [clock.monotonic()]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    assert post(control, "/select", {"model_id": "synthetic"}) == b'{"ok":true}'
    assert post(control, "/stop", {"model_id": "another"}) == b'{"ok":true,"ignored":true}'
    assert post(control, "/stop", {"model_id": "synthetic"}) == b'{"ok":true}'
    assert ask(control, "GET", "/status") == RUNNING % (512, 512)
    assert post(control, "/select", {"model_id": "synthetic"}) == b'{"ok":true}'
    now[0] += 2 * host_mode.GRACE
    assert ask(control, "GET", "/status") == RUNNING % (512, 512)
    assert ask(control, "POST", "/stop", b"nothing") == b'{"ok":true}'
    now[0] += 2 * host_mode.GRACE
    assert ask(control, "GET", "/status") == IDLE
    assert post(control, "/stop", {"model_id": "synthetic"}) == b'{"ok":true,"ignored":true}'


def test_what_is_too_long_is_bad(control: str) -> None:
    bad = b'{"error":"bad request"}'
    fits = json.dumps({"model_id": "synthetic", "x": ""}).encode()
    assert ask(control, "POST", "/select", fits + b" " * (64 * 1024 - len(fits))) == b'{"ok":true}'
    assert ask(control, "POST", "/select", fits + b" " * (64 * 1024 - len(fits) + 1)) == bad


def test_texts_are_escaped_as_on_the_phone() -> None:
    reply = host_mode._reply(200, {"path": '/data/"x"\\\n\x01', "steps": 20.0, "cfg": 7.5, "name": "그림", "on": True})
    assert (
        reply.body == '{"path":"\\/data\\/\\"x\\"\\\\\\n\\u0001","steps":20,"cfg":7.5,"name":"그림","on":true}'.encode()
    )


@pytest.mark.parametrize("name", ["2.4", "2.7"])
def test_releases_before_have_none(name: str) -> None:
    assert "control" in personalities()[name].without
