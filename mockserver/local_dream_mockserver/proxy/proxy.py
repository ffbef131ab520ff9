"""The proxy: takes connections, passes requests on as they are, and changes the answers that its mutators want."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from local_dream_mockserver.proxy.answers import AnswerReader, NotHttp
from local_dream_mockserver.proxy.client_side import UNREAD_SECONDS, ClientSide, closed
from local_dream_mockserver.proxy.mutator import MOST_HELD, Answer, Head, ResponseMutator, TooLong
from local_dream_mockserver.proxy.requests import Asked, RequestLog
from local_dream_mockserver.server import clock
from local_dream_mockserver.server.connection_limits import ConnectionLimits
from local_dream_mockserver.server.errors import APIError, logger
from local_dream_mockserver.server.http_protocol import MOST_TURNED_AWAY

PIECE = 64 * 1024
EACH_DESCRIPTORS = 5
"""File descriptors that a connection may take: one at either end, and those of the connections that made room for a
burst of new ones, which are closed a moment later."""
TURNED_AWAY_FOR = 0.5
"""Seconds that a connection beyond the limit stays open."""
CUT_WITHIN = 0.3
"""Seconds that a client has to read what it was sent before, when the proxy ends its connection."""
TOLD_EVERY = 60.0
"""Seconds between two lines of the log that say that all connections are taken."""


class BadUpstream(Exception):
    """The upstream server's address cannot be used; the message is one line with the fix."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The server behind the proxy."""

    host: str
    port: int
    tls: bool = False


def parse_upstream(url: str) -> Upstream:
    """Reads http://HOST:PORT or https://HOST:PORT. Raises BadUpstream."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUpstream(f"--upstream {url[:200]!r}: {error}; give http://HOST:PORT") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadUpstream(f"--upstream {url[:200]!r}: no http address; give http://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise BadUpstream(f"--upstream {url[:200]!r}: give the server alone, http://HOST:PORT, without a path")
    tls = parts.scheme == "https"
    return Upstream(parts.hostname, port or (443 if tls else 80), tls)


class Proxy:
    """One listening proxy before one server. `paths` replaces the paths that the mutators would choose themselves.

    At most one bend handles an answer: the first that wants it. `most_connections` are clients at a time: beyond it,
    the one that has waited longest without a request gives way to the new one; where all wait for answers, the new one
    is answered with 503.
    """

    def __init__(self, upstream: Upstream, mutators: Sequence[ResponseMutator], paths: Sequence[str] = ()) -> None:
        self.upstream = upstream
        self.mutators = tuple(mutators)
        self.paths = tuple(paths)
        self.most_connections = ConnectionLimits().fitted(EACH_DESCRIPTORS).most
        self._server: asyncio.Server | None = None
        self._running: dict[asyncio.Task[None], Connection] = {}
        self._told_full = float("-inf")

    async def listen(self, host: str, port: int) -> str:
        """Begins to accept connections; answers with the URL. Raises OSError."""
        self._server = await asyncio.start_server(self.accept, host, port, limit=PIECE)
        name, number = self._server.sockets[0].getsockname()[:2]
        return f"http://[{name}]:{number}" if ":" in name else f"http://{name}:{number}"

    def stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()

    async def answered(self, within: float) -> None:
        """Waits until no request waits for the end of its answer, `within` so many seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while any(connection.answering for connection in self._running.values()):
                    await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Ends all connections."""
        self.stop_listening()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def bend_for(self, asked: Asked, head: Head) -> ResponseMutator | None:
        """The bend that handles this answer."""
        for mutator in self.mutators:
            if asked.path.endswith(self.paths or mutator.paths) and mutator.wants(head):
                return mutator
        return None

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves a client to the end of its connection."""
        task = asyncio.current_task()
        assert task is not None
        client = ClientSide(writer)
        connection = Connection(self, reader, client)
        room = self._make_room()
        self._running[task] = connection
        within = UNREAD_SECONDS
        try:
            if room:
                await connection.run()
            elif sum(one.turned_away for one in self._running.values()) < MOST_TURNED_AWAY:
                await connection.turn_away()
            else:
                within = 0.0
        except asyncio.CancelledError:
            within = CUT_WITHIN  # the proxy is being closed, or this connection makes room
        except OSError:
            pass  # the client has gone; asyncio would log this task's end as an error
        finally:
            connection.ending = True
            with contextlib.suppress(asyncio.CancelledError):
                if not client.closed:
                    await client.close(within)
            del self._running[task]

    def _make_room(self) -> bool:
        """Whether there is room for another connection, or is made by ending one that waits for a request."""
        others = {task: one for task, one in self._running.items() if not (one.turned_away or one.ending)}
        if len(others) < self.most_connections:
            return True
        self._tell_full()
        waiting = [task for task, one in others.items() if not one.answering]
        if waiting:
            oldest = min(waiting, key=lambda task: others[task].waits_since)
            others[oldest].ending = True
            oldest.cancel()
        return bool(waiting)

    def _tell_full(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told_full >= TOLD_EVERY:
            self._told_full = now
            logger.warning("all %d connections of the proxy are taken", self.most_connections)


class Connection:
    """A client's connection, and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, client: ClientSide) -> None:
        self._proxy = proxy
        self._reader = reader
        self._client = client
        self._log = RequestLog()
        self._passing = False
        self.turned_away = self.ending = False
        self.waits_since = clock.monotonic()

    @property
    def answering(self) -> bool:
        """Whether a request waits for its answer, or for the end of it."""
        return not self.ending and (self._passing or bool(self._log.waiting))

    async def turn_away(self) -> None:
        """Answers with 503, and stays for a moment: closing with a request unread would reset, and lose the answer."""
        self.turned_away = True
        await self._client.write(_answer(APIError(503, "too many connections; try again later", {"Retry-After": "5"})))
        await asyncio.sleep(TURNED_AWAY_FOR)

    async def run(self) -> None:
        """Until either side has gone."""
        upstream = self._proxy.upstream
        try:
            server, to_server = await asyncio.open_connection(
                upstream.host, upstream.port, ssl=upstream.tls or None, limit=PIECE
            )
        except OSError:
            why = f"the proxy cannot reach {upstream.host} port {upstream.port}; is the server running?"
            await self._client.write(_answer(APIError(502, why)))
            return
        tasks = [asyncio.ensure_future(self._requests(to_server)), asyncio.ensure_future(self._answers(server))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    with contextlib.suppress(OSError):
                        task.result()
        finally:
            for task in tasks:
                task.cancel()
            to_server.transport.abort()  # before anything that may be cancelled in its turn
            await asyncio.gather(*tasks, return_exceptions=True)
            await closed(to_server)

    async def _requests(self, to_server: asyncio.StreamWriter) -> None:
        """Passes on what the client sends, and returns when it has gone."""
        try:
            while data := await self._reader.read(PIECE):
                self._log.feed(data)
                try:
                    if to_server.transport.is_closing():  # as in ClientSide.write
                        break
                    to_server.write(data)
                    await to_server.drain()
                except OSError:
                    break  # the server has closed: what it said before that is still to be read
            else:
                return
            await asyncio.Event().wait()
        finally:
            self._client.left()

    async def _answers(self, server: asyncio.StreamReader) -> None:
        """Passes on what the server sends, bent or not, and returns when the connection is to end."""

        async def read() -> bytes:
            return await server.read(PIECE)

        data = b""
        while data := data or await read():
            if not self._log.waiting:  # not HTTP, or it spoke without being asked
                await self._client.write(data)
                data = b""
                continue
            asked = self._log.waiting.popleft()
            answer = AnswerReader(asked, read, data, self._client.write)
            try:
                await self._pass(asked, answer)
            except TooLong:
                logger.warning(
                    "the answer to %s %s is longer than the %d MiB that are kept of one: its connection is closed",
                    asked.method,
                    asked.path[:200],
                    MOST_HELD >> 20,
                )
                return
            except NotHttp:
                data = bytes(answer.unsent)
                self._log.waiting.clear()
                self._log.lost = True
                continue
            if answer.last or self._client.closed:
                return
            data = answer.rest

    async def _pass(self, asked: Asked, answer: AnswerReader) -> None:
        """Raises NotHttp where the answer cannot be read; what `answer.unsent` then holds is still to be passed on."""
        self._passing = True
        try:
            await self._passed(asked, answer)
        finally:
            self._passing = False
            self.waits_since = clock.monotonic()

    async def _passed(self, asked: Asked, answer: AnswerReader) -> None:
        head = await answer.head()
        mutator = self._proxy.bend_for(asked, head)
        if mutator is None:
            async for data in answer.raw():
                await self._client.write(data)
            return
        body = answer.body()
        await mutator.send(Answer(asked.method, asked.path, head, body), self._client)
        if not self._client.closed:
            async for _ in body:  # what a mutator has left unread, so that the next answer can be found
                pass


def _answer(problem: APIError) -> bytes:
    """The whole answer, which ends the connection."""
    body = problem.body()
    headers = "".join(f"{name.lower()}: {value}\r\n" for name, value in problem.headers.items())
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n{headers}"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
