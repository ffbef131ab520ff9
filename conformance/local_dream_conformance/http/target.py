"""The server under judgement, as scenarios see it: they make calls, it records them and counts what they cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from local_dream_conformance.core.budget import Cost, most, spelled
from local_dream_conformance.core.errors import NotSent
from local_dream_conformance.core.exchange import GONE, Exchange, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http import sse
from local_dream_conformance.http.connection import Connection, Limits, SendOptions, StopWhen
from local_dream_conformance.http.life import POLL, Life

OnData = Callable[[Request, bytes], None]
"""Gets every piece of the body of an answer as it arrives, from any thread."""
API_EVENTS = ("progress", "complete")
LARGEST = (512, 512)
"""The largest picture that a scenario asks for, unless the settings give a size: the default one."""
MOST_PICTURES = 4
SPARE_BYTES = 8 << 20


class Target:
    """Makes calls, keeps count and keeps within the budget, and watches whether the target lives.

    `transcript` answers with what an earlier scenario recorded, and raises KeyError where it did not run. `cost_of`
    says what an exchange cost the target. `clock` is the `time.monotonic()` at which the run's clock was 0, so that
    several processes can share one clock. `on_data` gets what is received. `relaunch` is as Life has it.

    Whatever makes a call raises NotSent where the budget has no room for a server that accepts it, or where the target
    is gone. `left_out` has the labels, `made` all exchanges since `begin_scenario`.
    """

    def __init__(
        self,
        settings: Settings,
        transcript: Callable[[str], Transcript],
        *,
        cost_of: Callable[[Exchange], Cost],
        clock: float | None = None,
        on_data: OnData | None = None,
        relaunch: Callable[[], str] | None = None,
    ) -> None:
        self.settings = settings
        self._hear = on_data
        self.spent = Cost()
        self.left_out: dict[str, str] = {}
        self.made: list[Exchange] = []
        self._reserved = Cost()
        self._transcript = transcript
        self._cost_of = cost_of
        self._epoch = time.monotonic() if clock is None else clock
        self._address = settings.address
        self._limits = Limits(settings.idle_timeout, settings.total_timeout, _most_bytes(settings))
        self._lock = threading.Lock()
        self._running: list[Running] = []
        self.life = Life(settings.address, self._clock, answers=self._wait_for_an_answer, relaunch=relaunch)

    def begin_scenario(self, spent: Cost | None = None) -> None:
        """Forgets what the scenario before has made. `spent` is what all processes have spent so far."""
        self.left_out, self.made, self._running = {}, [], []
        if spent is not None:
            self.spent = spent

    def transcript(self, scenario: str) -> Transcript | None:
        """What an earlier scenario recorded; None where it did not run."""
        try:
            return self._transcript(scenario)
        except KeyError:
            return None

    def close(self) -> None:
        """Hangs up on every call that was begun and still runs, and waits for its end."""
        for running in self._running:
            running.hang_up()
        for running in self._running:
            running.join()

    def send(
        self, label: str, request: Request, send_options: SendOptions | None = None, stop_when: StopWhen | None = None
    ) -> Exchange:
        """Makes one call on a connection of its own."""
        self._reserve(label, request)
        heard = self._heard(request, stop_when)
        return self._done(request, self._connection().exchange(label, request, send_options, heard))

    def begin(self, label: str, request: Request, send_options: SendOptions | None = None) -> Running:
        """Begins a call and lets it run, so that others can be made meanwhile."""
        self._reserve(label, request)
        done = partial(self._done, request)
        running = Running(self._connection(), label, request, send_options, done, self._heard(request, None))
        self._running.append(running)
        return running

    def conversation(self, calls: list[tuple[str, Request]]) -> list[Exchange]:
        """Makes the calls one after another on one connection, as far as the server keeps it open."""
        connection = self._connection()
        exchanges = []
        try:
            for label, request in calls:
                self._reserve(label, request)
                exchange = connection.exchange(label, request, SendOptions(keep_alive=True))
                exchanges.append(self._done(request, exchange))
            return exchanges
        finally:
            connection.close()

    def raw(self, label: str, data: bytes, *, cut: bool = False, stop_when: StopWhen | None = None) -> Exchange:
        """Sends bytes that need not be HTTP; with `cut`, closes without waiting for an answer.

        The request is recorded with method and target "", and with the bytes as its body.
        """
        request = Request("", "", (), data)
        if not cut:
            self._reserve(label, request)
        exchange = self._connection().exchange(label, request, SendOptions(raw=data, cut=cut), stop_when)
        return self._done(None if cut else request, exchange)

    def _heard(self, request: Request, stop_when: StopWhen | None) -> StopWhen | None:
        """What looks at every piece of an answer: those who listen, then `until`."""
        if self._hear is None:
            return stop_when
        on_data = self._hear

        def look(piece: bytes) -> bool:
            on_data(request, piece)
            return stop_when is not None and stop_when(piece)

        return look

    def affords(self, cost: Cost) -> bool:
        """Whether what was spent, and what still runs, leaves room for `cost` in the budget."""
        return self.settings.budget.allows(self.spent + self._reserved + cost)

    def leave_out(self, label: str, reason: str) -> None:
        """Keeps that a request was not sent."""
        self.left_out[label] = reason

    def _connection(self) -> Connection:
        return Connection(self._address, self._limits, self._clock, self.settings.headers)

    def _clock(self) -> float:
        return time.monotonic() - self._epoch

    def _reserve(self, label: str, request: Request) -> None:
        """Raises NotSent."""
        with self._lock:
            reason = ""
            if self.life.is_gone:
                reason = GONE
            elif not self.affords(most(request)):
                reason = f"not sent: a server may accept it, and --budget {spelled(self.settings.budget)} is spent"
            if reason:
                self.leave_out(label, reason)
                raise NotSent(label, reason)
            self._reserved += most(request)

    def _done(self, request: Request | None, exchange: Exchange) -> Exchange:
        """Counts an exchange, and looks whether the target has outlived it. `request` is what was reserved for."""
        with self._lock:
            self.spent += self._cost_of(exchange)
            if request is not None:
                self._reserved -= most(request)
        exchange = self.life.after(exchange)
        with self._lock:
            self.made.append(exchange)
        return exchange

    def _wait_for_an_answer(self, seconds: float) -> None:
        """Asks for /health until there is any answer: what accepts connections may not serve yet."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._connection().exchange("", Request("GET", "/health")).status is not None:
                return
            time.sleep(POLL)


def _most_bytes(settings: Settings) -> int:
    """Twice what the longest honest answer to a scenario takes (each step with a raw preview in base64), and some
    more."""
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
        send_options: SendOptions | None,
        done: Callable[[Exchange], Exchange],
        stop_when: StopWhen | None = None,
    ) -> None:
        self._connection = connection
        self._exchange: Exchange | None = None
        self._stirred = threading.Event()
        self._done = done
        self._until = stop_when
        self._watch = first_event()
        self._thread = threading.Thread(target=self._run, args=(label, request, send_options), daemon=True)
        self._thread.start()

    def wait_for_event(self) -> bool:
        """Waits for the stream's first progress event or the end of the call; whether it still runs then."""
        self._stirred.wait()
        return self._exchange is None

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

    def _look(self, piece: bytes) -> bool:
        if not self._stirred.is_set() and self._watch(piece):
            self._stirred.set()
        return self._until is not None and self._until(piece)


def first_event() -> StopWhen:
    """True from the first progress or complete event of a stream on: then the server has accepted the generation."""
    decoder = sse.Decoder()
    seen = False

    def look(piece: bytes) -> bool:
        nonlocal seen
        if not seen:
            seen = any(event.name in API_EVENTS for event in decoder.feed(piece))
        return seen

    return look
