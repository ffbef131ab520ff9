"""The server under judgement, as probes see it: they make calls, it records them and counts what they cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from conformance import sse
from conformance.events import Kind, generation
from conformance.probe import Cost
from conformance.recorder import Connection, Limits, Manner, Until
from conformance.settings import Settings
from conformance.transcript import Exchange, Request, Transcript
from conformance.wire import Address

Hear = Callable[[Request, bytes], None]
"""Gets every piece of the body of an answer as it arrives, from any thread."""
API_EVENTS = ("progress", "complete")
LARGEST = (512, 512)
"""The largest picture that a probe asks for, unless the settings give a size: the default one."""
MOST_PICTURES = 4
SPARE_BYTES = 8 << 20


class Target:
    """Makes calls and keeps count.

    `transcript` answers with what an earlier probe recorded, and raises KeyError where it did not run. `clock` is the
    `time.monotonic()` at which the run's clock was 0, so that several processes can share one clock. `hear` gets what
    is received.
    """

    def __init__(
        self,
        settings: Settings,
        transcript: Callable[[str], Transcript],
        *,
        clock: float | None = None,
        hear: Hear | None = None,
    ) -> None:
        self.settings = settings
        self._hear = hear
        self.spent = Cost()
        self._transcript = transcript
        self._epoch = time.monotonic() if clock is None else clock
        self._address = Address.of(settings.url)
        self._limits = Limits(settings.idle_timeout, settings.total_timeout, _most_bytes(settings))
        self._lock = threading.Lock()
        self._running: list[Running] = []

    def transcript(self, probe: str) -> Transcript | None:
        """What an earlier probe recorded; None where it did not run."""
        try:
            return self._transcript(probe)
        except KeyError:
            return None

    def close(self) -> None:
        """Hangs up on every call that was begun and still runs."""
        for running in self._running:
            running.hang_up()

    def send(self, label: str, request: Request, manner: Manner | None = None, until: Until | None = None) -> Exchange:
        """Makes one call on a connection of its own."""
        return self._counted(self._connection().exchange(label, request, manner, self._heard(request, until)))

    def begin(self, label: str, request: Request, manner: Manner | None = None) -> Running:
        """Begins a call and lets it run, so that others can be made meanwhile."""
        running = Running(self._connection(), label, request, manner, self._counted, self._heard(request, None))
        self._running.append(running)
        return running

    def conversation(self, calls: list[tuple[str, Request]]) -> list[Exchange]:
        """Makes the calls one after another on one connection, as far as the server keeps it open."""
        connection = self._connection()
        try:
            return [
                self._counted(connection.exchange(label, request, Manner(keep_alive=True))) for label, request in calls
            ]
        finally:
            connection.close()

    def raw(self, label: str, data: bytes, *, cut: bool = False, until: Until | None = None) -> Exchange:
        """Sends bytes that need not be HTTP; with `cut`, closes without waiting for an answer.

        The request is recorded with method and target "", and with the bytes as its body.
        """
        request = Request("", "", (), data)
        return self._counted(self._connection().exchange(label, request, Manner(raw=data, cut=cut), until))

    def _heard(self, request: Request, until: Until | None) -> Until | None:
        """What looks at every piece of an answer: those who listen, then `until`."""
        if self._hear is None:
            return until
        hear = self._hear

        def look(piece: bytes) -> bool:
            hear(request, piece)
            return until is not None and until(piece)

        return look

    def affords(self, cost: Cost) -> bool:
        """Whether what was spent through this object leaves room for `cost` in the budget."""
        return self.settings.budget.allows(self.spent + cost)

    def _connection(self) -> Connection:
        return Connection(self._address, self._limits, lambda: time.monotonic() - self._epoch, self.settings.headers)

    def _counted(self, exchange: Exchange) -> Exchange:
        with self._lock:
            self.spent += spent_on(exchange)
        return exchange


def _most_bytes(settings: Settings) -> int:
    """Twice what the longest honest answer to a probe takes (each step with a raw preview in base64), and some more."""
    width, height = settings.size or LARGEST
    pictures = (settings.steps or MOST_PICTURES) + 2
    return SPARE_BYTES + 2 * pictures * width * height * 4


class Running:
    """A call that runs in a thread of its own."""

    def __init__(
        self,
        connection: Connection,
        label: str,
        request: Request,
        manner: Manner | None,
        done: Callable[[Exchange], Exchange],
        until: Until | None = None,
    ) -> None:
        self._connection = connection
        self._exchange: Exchange | None = None
        self._stirred = threading.Event()
        self._done = done
        self._until = until
        self._watch = first_event()
        self._thread = threading.Thread(target=self._run, args=(label, request, manner), daemon=True)
        self._thread.start()

    def wait_for_event(self) -> bool:
        """Waits for the stream's first progress event or the end of the call; whether it still runs then."""
        self._stirred.wait()
        return self._exchange is None

    def hang_up(self) -> None:
        """Closes the connection."""
        self._connection.hang_up()

    def result(self) -> Exchange:
        """Waits for the end of the call, which the limits of the recorder assure."""
        self._thread.join()
        if self._exchange is None:
            raise RuntimeError("the thread of a call died")
        return self._exchange

    def _run(self, label: str, request: Request, manner: Manner | None) -> None:
        try:
            self._exchange = self._connection.exchange(label, request, manner, self._look)
            self._done(self._exchange)
        finally:
            self._stirred.set()

    def _look(self, piece: bytes) -> bool:
        if not self._stirred.is_set() and self._watch(piece):
            self._stirred.set()
        return self._until is not None and self._until(piece)


def first_event() -> Until:
    """True from the first progress or complete event of a stream on: then the server has accepted the generation."""
    decoder = sse.Decoder()
    seen = False

    def look(piece: bytes) -> bool:
        nonlocal seen
        if not seen:
            seen = any(event.name in API_EVENTS for event in decoder.feed(piece))
        return seen

    return look


def spent_on(exchange: Exchange) -> Cost:
    """What an exchange cost the target: nothing where it refused, also where the refusal is an error event."""
    path = exchange.request.target.partition("?")[0]
    if exchange.status != 200 or exchange.request.method != "POST":
        return Cost()
    if path.endswith("/upscale"):
        return Cost(upscales=1)
    if path.endswith("/generate"):
        kinds = {event.kind for event in generation(exchange).events}
        return Cost() if Kind.ERROR in kinds and not kinds & {Kind.PROGRESS, Kind.COMPLETE} else Cost(generations=1)
    return Cost()
