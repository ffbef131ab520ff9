"""A connection that the proxy has is the proxy's alone: nothing of the server's first protocol acts on it."""

from __future__ import annotations

import asyncio
import http.client
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from starlette.types import Receive, Scope, Send

from local_dream_mockserver.proxy.fronted import Fronted, handing_over
from local_dream_mockserver.proxy.proxy import Proxy, parse_upstream
from local_dream_mockserver.server.http_protocol import HttpProtocol
from local_dream_mockserver.server.run import listen, url_of
from tests.mockserver.live_server import PATIENCE

GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
LONG = 16 * 1024 * 1024
"""Bytes of an answer that does not fit into the buffers of a connection."""
NAMED = b"GET %s HTTP/1.1\r\nHost: localhost\r\nX-Proxy: yes\r\n\r\n"


@dataclass
class Site:
    """An application that says how a request came: `direct /path` or `proxy /path`."""

    inner: int = 0
    first: list[HttpProtocol] = field(default_factory=list)
    """The protocols of connections, in their order."""
    paths: list[str] = field(default_factory=list)
    doing: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What is done before a path is answered; an awaitable is awaited."""
    afterwards: dict[str, Callable[[], object]] = field(default_factory=dict)
    padding: dict[str, int] = field(default_factory=dict)
    """Bytes behind the words."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        self.paths.append(path)
        way = "proxy" if scope["server"][1] == self.inner else "direct"
        await self._done(self.doing, path)
        body = f"{way} {path}".encode() + b"." * self.padding.get(path, 0)
        head = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})
        await self._done(self.afterwards, path)

    async def _done(self, what: dict[str, Callable[[], object]], path: str) -> None:
        if path in what and asyncio.iscoroutine(done := what[path]()):
            await done

    def protocol(self, *args: object, **keys: object) -> HttpProtocol:
        made = HttpProtocol(*args, **keys)  # type: ignore[arg-type]  # as uvicorn calls it
        self.first.append(made)
        return made


@contextmanager
def served(site: Site, needs_proxy: Callable[[bytes], bool]) -> Iterator[int]:
    """Its port, where requests that need the proxy get it."""
    with listen("127.0.0.1", 0) as public, listen("127.0.0.1", 0) as inner:
        proxy = Proxy(parse_upstream(url_of(inner)), ())
        site.inner = proxy.upstream.port
        ready = threading.Event()
        protocols = handing_over(site.protocol, proxy, needs_proxy, public)
        server = Fronted(site, proxy, "127.0.0.1", 0, lambda url: ready.set(), http=protocols, public=public)
        thread = threading.Thread(target=server.run, args=([public, inner],))
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            yield public.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def connection(site: Site) -> Iterator[socket.socket]:
    with (
        served(site, lambda begun: b"x-proxy" in begun.lower()) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
    ):
        yield connection


def said(connection: socket.socket) -> str:
    """The words of the next answer, where no other one is on its way."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.read().decode()


def test_no_timer_of_the_first_protocol_is_left(site: Site, connection: socket.socket) -> None:
    def late() -> None:
        first = site.first[0]
        assert first.timeout_keep_alive_task is None
        first.timeout_keep_alive_handler()
        first._head_late()
        first._check_reading(0)

    site.doing["/silent"] = late
    connection.sendall(GET % b"/first")
    assert said(connection) == "direct /first"
    connection.sendall(NAMED % b"/silent")
    assert said(connection) == "proxy /silent"
    connection.sendall(GET % b"/last")
    assert said(connection) == "proxy /last"


def test_an_application_that_fails_after_its_answer_does_not_end_the_next(
    site: Site, connection: socket.socket
) -> None:
    silent, failed = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        await silent.wait()
        asyncio.get_running_loop().call_soon(failed.set)
        raise RuntimeError("after the answer")

    async def during() -> None:
        silent.set()
        await failed.wait()

    site.afterwards["/first"] = fails
    site.doing["/silent"] = during
    connection.sendall(GET % b"/first")
    assert said(connection) == "direct /first"
    connection.sendall(NAMED % b"/silent")
    assert said(connection) == "proxy /silent"


def test_what_came_with_the_request_before_is_not_asked_for_again(site: Site, connection: socket.socket) -> None:
    second = NAMED % b"/second"
    connection.sendall(GET % b"/first" + second[:10])
    assert said(connection) == "direct /first"
    connection.sendall(second[10:])
    assert said(connection) == "direct /second"
    connection.sendall(NAMED % b"/third")
    assert said(connection) == "proxy /third"
    assert site.paths == ["/first", "/second", "/third"]


def test_the_rest_of_a_body_whose_answer_came_early_is_no_request(site: Site, connection: socket.socket) -> None:
    body = b"x-proxy: in the body"
    connection.sendall(b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body))
    assert said(connection) == "direct /early"
    connection.sendall(body + GET % b"/second")
    assert said(connection) == "direct /second"
    connection.sendall(NAMED % b"/third")
    assert said(connection) == "proxy /third"
    assert site.paths == ["/early", "/second", "/third"]


def test_an_answer_that_is_not_read_yet_stays_before_the_next(
    site: Site, connection: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    sent = threading.Event()
    site.padding["/long"] = LONG
    site.afterwards["/long"] = sent.set
    connection.sendall(GET % b"/long")
    assert sent.wait(PATIENCE)
    connection.sendall(NAMED % b"/second")
    with caplog.at_level(logging.ERROR):
        got = bytearray()
        while not got.endswith(b"proxy /second"):
            data = connection.recv(1024 * 1024)
            assert data
            got += data
    assert b"direct /long" + b"." * LONG + b"HTTP/1.1 200 OK" in got
    assert caplog.messages == []
