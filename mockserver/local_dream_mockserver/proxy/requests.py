"""Which requests go by: read from the bytes of a client without changing one of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import h11

LONGEST_HEAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """The line of a request."""

    method: str
    target: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class RequestLog:
    """Gets what a client sends; `waiting` holds the requests that were begun and not answered yet, the oldest first.

    Once something comes that is not HTTP, `lost` is true: nothing that follows can be told apart any more.
    """

    def __init__(self) -> None:
        self.waiting: deque[Asked] = deque()
        self.lost = False
        self._http = h11.Connection(h11.SERVER, LONGEST_HEAD)

    def feed(self, data: bytes) -> None:
        if self.lost:
            return
        try:
            self._http.receive_data(data)
            while not self._read():
                rest, _ = self._http.trailing_data
                self._http = h11.Connection(h11.SERVER, LONGEST_HEAD)
                self._http.receive_data(rest)
        except h11.RemoteProtocolError:
            self.lost = True

    def _read(self) -> bool:
        """Reads on; whether everything was read, rather than only one request to its end."""
        while (event := self._http.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Request):
                self.waiting.append(Asked(event.method.decode("ascii"), event.target.decode("latin-1")))
            elif isinstance(event, h11.EndOfMessage):
                return not self._http.trailing_data[0]
            elif event is h11.PAUSED:
                return False
        return True
