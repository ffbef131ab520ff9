"""A call that runs while others are made."""

from __future__ import annotations

import threading
from collections.abc import Callable

from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.http import sse
from local_dream_conformance.http.connection import Connection, SendOptions, StopWhen

API_EVENTS = ("progress", "complete")


class Running:
    """A call that runs in a thread of its own."""

    def __init__(
        self,
        connection: Connection,
        label: str,
        request: Request,
        send_options: SendOptions | None,
        done: Callable[[Exchange], Exchange],
        stop_when: StopWhen | None = None,
    ) -> None:
        self._connection = connection
        self._exchange: Exchange | None = None
        self._stirred = threading.Event()
        self._events, self._further = 0, threading.Condition()
        self._done = done
        self._until = stop_when
        self._watch = counter()
        self._thread = threading.Thread(target=self._run, args=(label, request, send_options), daemon=True)
        self._thread.start()

    def wait_for_event(self) -> bool:
        """Waits for the stream's first progress event or the end of the call; whether it still runs then."""
        self._stirred.wait()
        return self._exchange is None

    def wait_for_another(self, seconds: float) -> None:
        """Waits for one more event of the stream or the end of the call, so many seconds at most."""
        with self._further:
            seen = self._events
            self._further.wait_for(lambda: self._events > seen or self._exchange is not None, seconds)

    def leave_unread(self, seconds: float) -> None:
        """Reads nothing more of the answer, and waits: for so many seconds, or the end of the call. Then hang up."""
        self._connection.stop_reading()
        self._thread.join(seconds)

    def hang_up(self) -> None:
        """Closes the connection."""
        self._connection.hang_up()

    def join(self) -> None:
        """Waits for the end of the call, which the limits of the recorder assure."""
        self._thread.join()

    def result(self) -> Exchange:
        """What came of the call, once it has ended."""
        self.join()
        if self._exchange is None:
            raise RuntimeError("the thread of a call died")
        return self._exchange

    def _run(self, label: str, request: Request, send_options: SendOptions | None) -> None:
        try:
            self._exchange = self._done(self._connection.exchange(label, request, send_options, self._look))
        finally:
            self._stirred.set()
            with self._further:
                self._further.notify_all()

    def _look(self, piece: bytes) -> bool:
        if found := self._watch(piece):
            self._stirred.set()
            with self._further:
                self._events += found
                self._further.notify_all()
        return self._until is not None and self._until(piece)


def first_event() -> StopWhen:
    """True from the first progress or complete event of a stream on: then the server has accepted the generation."""
    count = counter()
    seen = False

    def look(piece: bytes) -> bool:
        nonlocal seen
        seen = seen or count(piece) > 0
        return seen

    return look


def counter() -> Callable[[bytes], int]:
    """How many progress and complete events of a stream end in each of its pieces."""
    decoder = sse.Decoder(keeps=False)
    return lambda piece: sum(sse.meaning(event) in API_EVENTS for event in decoder.feed(piece))
