"""An answer of the upstream server, read as it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import h11

from local_dream_mockserver.proxy.mutator import Head
from local_dream_mockserver.proxy.requests import Asked

LONGEST_HEAD = 1 << 20
Read: TypeAlias = Callable[[], Awaitable[bytes]]
"""The next bytes from the server, b"" at their end."""
Write: TypeAlias = Callable[[bytes], Awaitable[None]]


class NotHttp(Exception):
    """What the server sends cannot be read as the answer to a request."""


class AnswerReader:
    """Reads one answer: first `head`, then `body` to its end, or `raw` in place of both.

    `unsent` are the bytes that were taken from the server and not given away yet; `rest` those that came after the
    answer; `last` is whether the server closes the connection with it. Interim answers (100, 103)
    go to `interim` as soon as they come.
    """

    def __init__(self, asked: Asked, read: Read, already: bytes, interim: Write) -> None:
        self._read = read
        self._interim = interim
        self._http = h11.Connection(h11.CLIENT, LONGEST_HEAD)
        self._http.send(h11.Request(method=asked.method, target=asked.target, headers=[("Host", "proxy")]))
        self._http.send(h11.EndOfMessage())
        self.unsent = bytearray(already)
        self.over = False
        self.ended = False
        self._http.receive_data(already)

    async def head(self) -> Head:
        """The head of the final answer. Raises NotHttp, also when the server closes without an answer."""
        while True:
            event = self._next()
            if isinstance(event, h11.Response):
                return _head(event)
            if isinstance(event, h11.InformationalResponse):
                self.unsent = bytearray(self._http.trailing_data[0])
                await self._interim(_head(event).encoded())
            else:
                await self._more()

    async def body(self) -> AsyncIterator[bytes]:
        """The body without its transfer coding, as it arrives. Raises NotHttp where it breaks off."""
        while not self.over:
            self.unsent.clear()
            event = self._next()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif event is None:
                await self._more()

    async def raw(self) -> AsyncIterator[bytes]:
        """The bytes as the server sent them, head and all. Raises NotHttp as `body` does."""
        while True:
            while not self.over and self._next() is not None:
                pass
            until = len(self.unsent) - len(self.rest)
            ready = bytes(self.unsent[:until])
            del self.unsent[:until]
            yield ready
            if self.over:
                return
            await self._more()

    @property
    def rest(self) -> bytes:
        return bytes(self._http.trailing_data[0]) if self.over else b""

    @property
    def last(self) -> bool:
        return self.ended or self._http.their_state in (h11.MUST_CLOSE, h11.CLOSED)

    def _next(self) -> h11.Event | None:
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise NotHttp(str(error)) from None
        if event is h11.NEED_DATA or event is h11.PAUSED:
            return None
        assert not isinstance(event, type)
        self.over = isinstance(event, h11.EndOfMessage)
        return event

    async def _more(self) -> None:
        if self.ended:
            raise NotHttp("the server closed the connection")
        data = await self._read()
        self.ended = not data
        self.unsent += data
        self._http.receive_data(data)


def _head(event: h11.Response | h11.InformationalResponse) -> Head:
    return Head(event.status_code, bytes(event.reason), tuple(event.headers.raw_items()))
