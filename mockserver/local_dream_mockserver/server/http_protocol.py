"""uvicorn's HTTP protocol, with our error envelope where it refuses on its own, and limits on heads and connections."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from local_dream_mockserver.server import clock
from local_dream_mockserver.server.connection_limits import ConnectionLimits, LimitedConfig
from local_dream_mockserver.server.errors import APIError, Code, logger

LONGEST_HEAD = 64 * 1024
"""Bytes of header names and values that one request may have; httptools itself knows no limit. Also, how many may come
of which it makes nothing yet: a header without an end, in the head or after the last chunk, or a chunk's extension."""
TOLD_EVERY = 60.0
"""Seconds between two lines of the log that say that all connections are taken."""
TURNED_AWAY_FOR = 1.0
"""Seconds that a connection beyond the limit stays open, so that its client can read the 503."""
MOST_TURNED_AWAY = 64
"""Connections beyond the limit that get an answer at a time; those beyond are cut."""


class HttpProtocol(HttpToolsProtocol):
    """What is not HTTP gets 400, a head that is too long 431, one that is too slow 408, a connection too many 503; all
    with the envelope. A connection that sends nothing, or reads nothing, is closed."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.head_length = 0
        self.waits_since = clock.monotonic()  # finer than the clock of the loop
        self.turned_away = False
        self._limits = config.limits if isinstance(config, LimitedConfig) else ConnectionLimits()
        self._head_begun = False
        self._in_message = False
        self._parsed = False
        self._unparsed = 0
        self._refusal: APIError | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request of this connection is being served."""
        return not self.pipeline and (self.cycle is None or self.cycle.response_complete)

    @property
    def head_begun(self) -> bool:
        """Whether something has come of a request whose head is not complete."""
        return self._head_begun

    @property
    def between_requests(self) -> bool:
        """Whether the next byte begins a request. An answer may be over before all of its request's body has come."""
        return self.idle and not self._in_message and not self.turned_away

    def leave(self) -> None:
        """Lets another protocol have the connection, while this one is idle. Neither a timer nor what is left of the
        last request's task does anything to it from now on."""
        gone = Gone()
        self.transport = gone
        if self.cycle is not None:
            self.cycle.transport = gone
        self._unset_keepalive_if_required()  # uvicorn does so only where the connection was closed in order
        self.connection_lost(None)

    # from the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        if len(self.connections) > self._limits.most and not self._make_room():
            self._turn_away()
        else:
            self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self.turned_away:
            return
        self._parsed = False
        super().data_received(data)
        self._unparsed = 0 if self._parsed else self._unparsed + len(data)
        if self._unparsed > LONGEST_HEAD and not self.transport.is_closing():
            self._refuse_endless()
        if self.idle:
            self._expect_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._head_timer, self._unread_timer):
            if timer is not None:
                timer.cancel()

    # from the parser

    def on_message_begin(self) -> None:
        self.head_length = 0
        self._head_begun = self._in_message = self._parsed = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._grow(len(name) + len(value))
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._parsed = True
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self._head_begun = False
        self._parsed = True
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        self.expect_right_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_message = False
        super().on_message_complete()

    def expect_right_head(self) -> None:
        """Raises ValueError for a head that is refused."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self._refusal = APIError(400, f"Host: sent {hosts} times; send it once", code=Code.BAD_HTTP, field="Host")
            raise ValueError("not one Host")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.waits_since = clock.monotonic()  # finer than the clock of the loop
        if self.transport.get_write_buffer_size():
            self._expect_reading()

    # answers of the protocol's own

    def send_400_response(self, msg: str) -> None:
        if self.head_length > LONGEST_HEAD:
            message = f"the request's head is longer than this server's {LONGEST_HEAD} bytes"
            self._answer(APIError(431, message, code=Code.OVER_LIMIT))
        else:
            self._answer(self._refusal or APIError(400, msg, code=Code.BAD_HTTP))
        self.transport.close()

    def _answer(self, problem: APIError) -> None:
        body = problem.body()
        headers = "".join(f"{name.lower()}: {value}\r\n" for name, value in problem.headers.items())
        head = (
            f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n{headers}"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)

    def _refuse_endless(self) -> None:
        if self._head_begun:
            self.head_length = self._unparsed
            self.send_400_response("")
        else:  # in a body: its answer may have begun
            self.transport.abort()

    def _grow(self, length: int) -> None:
        self._parsed = True
        self.head_length += length
        if self.head_length > LONGEST_HEAD:
            raise ValueError("head too long")

    # time

    def _expect_head(self) -> None:
        if self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(self._limits.head, self._head_late)

    def _head_late(self) -> None:
        self._head_timer = None
        if self.transport.is_closing() or not self.idle:
            return
        if self._head_begun:
            self._answer(
                APIError(408, f"the request's head did not come within {self._limits.head:g} s", code=Code.STALLED)
            )
        self.transport.close()
        self._expect_reading()

    def _expect_reading(self) -> None:
        if self._unread_timer is None:
            left = self.transport.get_write_buffer_size()
            self._unread_timer = self.loop.call_later(self._limits.unread, self._check_reading, left)

    def _check_reading(self, before: int) -> None:
        """Nothing is written while the buffer is full, so that it shrinks exactly if the client reads."""
        self._unread_timer = None
        left = self.transport.get_write_buffer_size()
        if left and left >= before:
            self.transport.abort()
        elif left:
            self._expect_reading()

    # room

    def _make_room(self) -> bool:
        """Whether there is room for this connection, or could be made by closing one that waits for a request."""
        others = [one for one in self.connections if isinstance(one, HttpProtocol) and one is not self]
        others = [one for one in others if not one.transport.is_closing() and not one.turned_away]
        if len(others) < self._limits.most:
            return True
        self._tell_full()
        waiting = [one for one in others if one.idle]
        if waiting:
            min(waiting, key=lambda one: one.waits_since).transport.close()
        return bool(waiting)

    def _turn_away(self) -> None:
        self.turned_away = True
        refused = sum(isinstance(one, HttpProtocol) and one.turned_away for one in self.connections)
        if refused > MOST_TURNED_AWAY:
            self.transport.abort()
            return
        self._answer(APIError(503, "too many connections; try again later", {"Retry-After": "5"}, code=Code.BUSY))
        # Closing at once would reset the connection, since its request is unread, and the client might miss the answer.
        self.loop.call_later(TURNED_AWAY_FOR, self.transport.abort)

    def _tell_full(self) -> None:
        now = self.loop.time()
        if isinstance(self.config, LimitedConfig) and now - self.config.told_full >= TOLD_EVERY:
            self.config.told_full = now
            logger.warning("all %d connections are taken; idle ones give way to new ones", self._limits.most)


class Gone(asyncio.Transport):
    """In place of a connection that another protocol has: closed, and whatever is done to it is done to nothing."""

    def is_closing(self) -> bool:
        return True

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0
