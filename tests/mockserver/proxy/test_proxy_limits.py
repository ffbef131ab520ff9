"""Clients of the proxy that are too many, or do not read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from local_dream_mockserver.proxy import client_side
from local_dream_mockserver.proxy import proxy as proxies
from local_dream_mockserver.proxy.proxy import Proxy, parse_upstream

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def before(handler: Handler) -> tuple[asyncio.Server, Proxy, int]:
    """A proxy before a server with this handler, and the proxy's port."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    proxy = Proxy(parse_upstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), [])
    url = await proxy.listen("127.0.0.1", 0)
    return server, proxy, int(url.rpartition(":")[2])


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that does not answer."""
    await reader.read()
    writer.close()


async def full_before(handler: Handler) -> tuple[asyncio.Server, Proxy, int, asyncio.StreamWriter]:
    """The same with a proxy of one connection, which a client has: the last of the four."""
    server, proxy, port = await before(handler)
    proxy.most_connections = 1
    _, first = await asyncio.open_connection("127.0.0.1", port)
    first.write(GET)
    async with asyncio.timeout(20):
        while not any(one.answering for one in proxy._running.values()):
            await asyncio.sleep(0.01)
    return server, proxy, port, first


async def not_reading(port: int) -> asyncio.StreamWriter:
    """A client that asks and reads no answer."""
    _, client = await asyncio.open_connection("127.0.0.1", port)
    client.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's socket transports have it
    client.write(GET)
    return client


async def write_endlessly(writer: asyncio.StreamWriter) -> None:
    """Raises OSError once the other side has gone."""
    writer.write(ANSWER)
    while True:
        writer.write(bytes(65536))
        await writer.drain()


def test_a_client_too_many_is_answered_with_503(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        server, proxy, port, first = await full_before(silent)
        reader, second = await asyncio.open_connection("127.0.0.1", port)
        second.write(GET)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n")
        first.close()
        second.close()
        await proxy.close()
        server.close()

    asyncio.run(scenario())
    assert "all 1 connections of the proxy are taken" in caplog.text


def test_a_client_that_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_side, "UNREAD_SECONDS", 0.2)
    left = asyncio.Event()

    async def scenario() -> None:
        async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await write_endlessly(writer)
            except OSError:
                left.set()

        server, proxy, port = await before(endless)
        client = await not_reading(port)
        await asyncio.wait_for(left.wait(), 20)
        client.transport.abort()
        await proxy.close()
        server.close()

    asyncio.run(scenario())


def test_a_connection_without_a_request_gives_way(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(1000):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            writer.close()

        server, proxy, port = await before(answering)
        proxy.most_connections = 2
        clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in clients:  # each had its turn, the second one later
            writer.write(GET)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        reader, third = await asyncio.open_connection("127.0.0.1", port)
        third.write(GET)
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert await clients[0][0].read() == b"", "it has waited longest"
        clients[1][1].write(GET)
        assert (await clients[1][0].readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        for _, writer in clients:
            writer.close()
        third.close()
        await proxy.close()
        server.close()

    asyncio.run(scenario())
    assert "all 2 connections of the proxy are taken" in caplog.text


def test_those_that_are_turned_away_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "MOST_TURNED_AWAY", 1)
    monkeypatch.setattr(proxies, "TURNED_AWAY_FOR", 3600)

    async def scenario() -> None:
        server, proxy, port, first = await full_before(silent)
        async with asyncio.timeout(20):
            told, second = await asyncio.open_connection("127.0.0.1", port)
            assert (await told.read(12)) == b"HTTP/1.1 503"
            cut, third = await asyncio.open_connection("127.0.0.1", port)
            assert await cut.read() == b""
        for writer in (first, second, third):
            writer.close()
        await proxy.close()
        server.close()

    asyncio.run(scenario())


def test_a_client_that_does_not_read_keeps_no_proxy_from_its_end() -> None:
    async def scenario() -> None:
        async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                await write_endlessly(writer)

        server, proxy, port = await before(endless)
        client = await not_reading(port)
        stuck = 0
        async with asyncio.timeout(20):
            while stuck < 20:
                await asyncio.sleep(0.01)
                unsent = [one._client._writer.transport.get_write_buffer_size() for one in proxy._running.values()]
                stuck = stuck + 1 if any(unsent) else 0
            await proxy.close()
        client.transport.abort()
        server.close()

    asyncio.run(scenario())


def test_writing_to_a_client_that_has_gone_is_an_os_error() -> None:
    async def scenario() -> None:
        failed = asyncio.Event()

        async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            client = client_side.ClientSide(writer)
            writer.transport.abort()
            await asyncio.sleep(0.01)
            with pytest.raises(ConnectionResetError):
                await client.write(b"late")
            failed.set()

        server = await asyncio.start_server(told, "127.0.0.1", 0)
        _, client = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        async with asyncio.timeout(20):
            await failed.wait()
        client.close()
        server.close()

    uvloop.run(scenario())
