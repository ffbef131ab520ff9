"""The server under judgement, as scenarios see it: they make calls, it records them and counts what they cost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from local_dream_conformance.core import strict_json
from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.errors import NotSent
from local_dream_conformance.core.exchange import Exchange, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http import sse
from local_dream_conformance.http.connection import Connection, SendOptions, StopWhen, kind_of
from local_dream_conformance.http.patience import STALLS, Kind, Limits, Patience
from local_dream_conformance.http.trust import Trust

OnData = Callable[[Request, bytes], None]
"""Gets every piece of the body of an answer as it arrives, from any thread."""
API_EVENTS = ("progress", "complete")
LARGEST = (512, 512)
"""The largest picture that a scenario asks for, unless the settings give a size: the default one."""
MOST_PICTURES = 20
"""As many steps as a scenario asks for, unless the settings say how many."""
SPARE_BYTES = 8 << 20


class Target:
    """Makes calls and keeps count.

    `transcript` answers with what an earlier scenario recorded, and raises KeyError where it did not run. `cost_of`
    says what an exchange cost the target. `clock` is the `time.monotonic()` at which the run's clock was 0, so that
    several processes can share one clock. `hear` gets what is received.
    """

    def __init__(
        self,
        settings: Settings,
        transcript: Callable[[str], Transcript],
        *,
        cost_of: Callable[[Exchange], Cost],
        clock: float | None = None,
        on_data: OnData | None = None,
        on_ask: Callable[[str], None] = lambda label: None,
    ) -> None:
        self.settings = settings
        self._hear = on_data
        self._ask = on_ask
        self.spent = Cost()
        self._transcript = transcript
        self._cost_of = cost_of
        self._epoch = time.monotonic() if clock is None else clock
        self._address = settings.address
        self._trust = Trust(settings.cacert, settings.insecure)
        limits = Limits(settings.idle_timeout, settings.total_timeout, _most_bytes(settings))
        self._patience = Patience(limits)
        self.left_out = ""
        """Why the scenario that is made, or the last one, leaves requests out; "" where it does not."""
        self._lock = threading.Lock()
        self._running: list[Running] = []

    def transcript(self, scenario: str) -> Transcript | None:
        """What an earlier scenario recorded; None where it did not run."""
        try:
            return self._transcript(scenario)
        except KeyError:
            return None

    def carry_out(self, calls: Callable[[Target], Iterable[Exchange]]) -> list[Exchange]:
        """Makes the calls of a scenario, as far as they are sent: `left_out` says why some were not."""
        made: list[Exchange] = []
        self.left_out = ""
        try:
            for exchange in calls(self):
                made.append(exchange)
        except NotSent as stop:
            self.left_out = str(stop)
        finally:
            self._close()
        if self.left_out:
            labels = {exchange.label for exchange in made}
            begun = (running.result() for running in self._running)
            made += [exchange for exchange in begun if exchange.label not in labels]
        self._running.clear()
        return made

    def _close(self) -> None:
        """Hangs up on every call that was begun and still runs."""
        for running in self._running:
            running.hang_up()

    def send(
        self, label: str, request: Request, send_options: SendOptions | None = None, stop_when: StopWhen | None = None
    ) -> Exchange:
        """Makes one call on a connection of its own. Who hangs up as soon as it is taken on expects a refusal."""
        request = self._with_fields(request)
        send_options = send_options or SendOptions()
        if stop_when is not None:
            send_options = replace(send_options, refusal=True)
        self._mind(request, send_options)
        self._ask(label)
        return self._counted(self._connection().exchange(label, request, send_options, self._heard(request, stop_when)))

    def begin(self, label: str, request: Request, send_options: SendOptions | None = None) -> Running:
        """Begins a call and lets it run, so that others can be made meanwhile."""
        request = self._with_fields(request)
        self._mind(request, send_options or SendOptions())
        self._ask(label)
        running = Running(self._connection(), label, request, send_options, self._counted, self._heard(request, None))
        self._running.append(running)
        return running

    def conversation(self, calls: list[tuple[str, Request]]) -> list[Exchange]:
        """Makes the calls, which are to be refused or start no work, one after another on one connection, as far as
        the server keeps it open."""
        self._mind(*calls[0][1:], SendOptions(refusal=True))
        self._ask(calls[0][0])
        connection = self._connection()
        try:
            return [
                self._counted(
                    connection.exchange(label, self._with_fields(request), SendOptions(keep_alive=True, refusal=True))
                )
                for label, request in calls
            ]
        finally:
            connection.close()

    def raw(self, label: str, data: bytes, *, cut: bool = False, stop_when: StopWhen | None = None) -> Exchange:
        """Sends bytes that need not be HTTP; with `cut`, closes without waiting for an answer.

        The request is recorded with method and target "", and with the bytes as its body.
        """
        request = Request("", "", (), data)
        self._mind(request, SendOptions(raw=data))
        self._ask(label)
        return self._counted(self._connection().exchange(label, request, SendOptions(raw=data, cut=cut), stop_when))

    def _with_fields(self, request: Request) -> Request:
        """The request with the fields that the target is said to ask for (--field), where it is one to /generate whose
        body is a JSON object without them."""
        if not self.settings.fields or (request.method, request.target) != ("POST", "/generate"):
            return request
        sent = strict_json.parse(request.body)
        if not isinstance(sent.value, dict) or sent.duplicates:
            return request
        lacking = {name: value for name, value in self.settings.fields if name not in sent.value}
        return replace(request, body=json.dumps({**sent.value, **lacking}).encode()) if lacking else request

    def _heard(self, request: Request, stop_when: StopWhen | None) -> StopWhen | None:
        """What looks at every piece of an answer: those who listen, then `until`."""
        if self._hear is None:
            return stop_when
        on_data = self._hear

        def look(piece: bytes) -> bool:
            on_data(request, piece)
            return stop_when is not None and stop_when(piece)

        return look

    def has_stalled(self, request: Request) -> bool:
        """Whether the target has left so many requests like this one, which is to be refused, without an answer that no
        other is worth the time. Then the scenario leaves it out."""
        operation = f"{request.method} {request.target}"
        stalled = self._patience.has_stalled(Kind.REFUSAL, operation)
        if stalled:
            self.left_out = f"not asked any more: {STALLS} requests to {operation} that it should refuse got no answer"
        return stalled

    def _mind(self, request: Request, send_options: SendOptions) -> None:
        """Raises NotSent where no request is to be sent any more, or none of this kind."""
        most = self.settings.max_duration
        if most is not None and time.monotonic() - self._epoch >= most:
            raise NotSent(f"max-duration: no request was sent after {most:g} s")
        kind, operation = kind_of(request, send_options), f"{request.method} {request.target}"
        if kind is Kind.WORK and self._patience.has_stalled(kind, operation):
            raise NotSent(f"not asked any more: {STALLS} requests to {operation} got no answer in time")

    def affords(self, cost: Cost) -> bool:
        """Whether what was spent through this object leaves room for `cost` in the budget."""
        return self.settings.budget.allows(self.spent + cost)

    def _connection(self) -> Connection:
        clock, headers = lambda: time.monotonic() - self._epoch, self.settings.headers
        return Connection(self._address, self._patience, clock, headers, self._trust)

    def _counted(self, exchange: Exchange) -> Exchange:
        with self._lock:
            self.spent += self._cost_of(exchange)
        return exchange


def _most_bytes(settings: Settings) -> int:
    """Twice what the longest honest answer to a scenario takes (each step with a raw preview in base64), and some
    more."""
    width, height = settings.size or LARGEST
    pictures = max(settings.steps or 0, MOST_PICTURES) + 2
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

    def result(self) -> Exchange:
        """Waits for the end of the call, which the limits of the recorder assure."""
        self._thread.join()
        if self._exchange is None:
            raise RuntimeError("the thread of a call died")
        return self._exchange

    def _run(self, label: str, request: Request, send_options: SendOptions | None) -> None:
        try:
            self._exchange = self._connection.exchange(label, request, send_options, self._look)
            self._done(self._exchange)
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
            seen = any(sse.meaning(event) in API_EVENTS for event in decoder.feed(piece))
        return seen

    return look
