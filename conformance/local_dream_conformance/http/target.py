"""The server under judgement, as scenarios see it: they make calls, it records them and counts what they cost."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from local_dream_conformance.core import strict_json
from local_dream_conformance.core.budget import Cost, most, spelled
from local_dream_conformance.core.errors import NotSent, OverBudget
from local_dream_conformance.core.exchange import GONE, REST, Exchange, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.connection import Connection, SendOptions, StopWhen, kind_of
from local_dream_conformance.http.life import POLL, Life
from local_dream_conformance.http.patience import STALLS, Kind, Limits, Patience
from local_dream_conformance.http.running import Running
from local_dream_conformance.http.trust import Trust

OnData = Callable[[Request, bytes], None]
"""Gets every piece of the body of an answer as it arrives, from any thread."""
LARGEST = (512, 512)
"""The largest picture that a scenario asks for, unless the settings give a size: the default one."""
MOST_PICTURES = 20
"""As many steps as a scenario asks for, unless the settings say how many."""
SPARE_BYTES = 8 << 20


class Target:
    """Makes calls, keeps count and keeps within the budget, and watches whether the target lives.

    `transcript` answers with what an earlier scenario recorded, and raises KeyError where it did not run. `cost_of`
    says what an exchange cost the target. `clock` is the `time.monotonic()` at which the run's clock was 0, so that
    several processes can share one clock; at `asks_until` on it a run has taken all the time that its plan allows.
    `on_data` gets what is received, `on_ask` the label of each request before it is sent. `relaunch` is as Life has it.
    Large answers are kept in the folder `place`, or in memory without one.

    Whatever makes a call raises NotSent where none is to be made: the budget has no room for a server that accepts it,
    the target is gone, the time is up.
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
        relaunch: Callable[[], str] | None = None,
        place: Path | None = None,
        asks_until: float = math.inf,
    ) -> None:
        self.settings = settings
        self._asks_until = asks_until
        self._hear = on_data
        self._ask = on_ask
        self.spent = Cost()
        self.planned = Cost()
        """What the scenarios are planned to cost that are still to be made after the present one."""
        self._transcript = transcript
        self._cost_of = cost_of
        self._epoch = time.monotonic() if clock is None else clock
        self._address = settings.address
        self._trust = Trust(settings.cacert, settings.insecure)
        size, event = _most_bytes(settings)
        limits = Limits(settings.idle_timeout, settings.total_timeout, size, event=event)
        self.patience = Patience(limits)
        self._place = place
        self.left_out: dict[str, str] = {}
        """What the scenario that is made, or the last one, did not send, each label with the reason."""
        self.life = Life(settings.address, self._clock, answers=self._wait_for_an_answer, relaunch=relaunch)
        self._made: list[Exchange] = []
        self._reserved = Cost()
        self._lock = threading.Lock()
        self._running: list[Running] = []

    def has_kept(self, size: int) -> None:
        """So many bytes of answers the run has before the next scenario, whichever process got them."""
        self.patience.kept = size

    def transcript(self, scenario: str) -> Transcript | None:
        """What an earlier scenario recorded; None where it did not run."""
        try:
            return self._transcript(scenario)
        except KeyError:
            return None

    def carry_out(self, calls: Callable[[Target], Iterable[Exchange]], scenario: str = "") -> list[Exchange]:
        """Makes the calls of a scenario, as far as they are sent, and looks whether the target has outlived them.

        Where no more is to be sent, what was begun is let finish: servers have died of a client that hung up.
        """
        handed: list[Exchange] = []
        self.left_out, self._made = {}, []
        try:
            for exchange in calls(self):
                handed.append(exchange)
        except NotSent as stop:
            self.leave_out(scenario + REST, str(stop))
            self._join()
            handed += _not_handed_over(self._made, handed)
        finally:
            self._close()
            self._running.clear()
        if handed:
            handed[-1] = self.life.after(handed[-1], always=True)
        return handed

    def _close(self) -> None:
        """Hangs up on every call that was begun and still runs, and waits for its end."""
        for running in self._running:
            running.hang_up()
        self._join()

    def _join(self) -> None:
        """Lets every call that was begun come to its end."""
        for running in self._running:
            running.join()

    def send(
        self, label: str, request: Request, send_options: SendOptions | None = None, stop_when: StopWhen | None = None
    ) -> Exchange:
        """Makes one call on a connection of its own. Who hangs up as soon as it is taken on expects a refusal."""
        request = self._with_fields(request)
        send_options = send_options or SendOptions()
        if stop_when is not None:
            send_options = replace(send_options, refusal=True)
        self._mind(label, request, send_options)
        connection = self._connection(control=send_options.control)
        exchange = connection.exchange(label, request, send_options, self._heard(request, stop_when))
        return self._done(request, exchange)

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        time.sleep(seconds)

    def begin(self, label: str, request: Request, send_options: SendOptions | None = None) -> Running:
        """Begins a call and lets it run, so that others can be made meanwhile."""
        request = self._with_fields(request)
        self._mind(label, request, send_options or SendOptions())
        done = partial(self._done, request)
        running = Running(self._connection(), label, request, send_options, done, self._heard(request, None))
        self._running.append(running)
        return running

    def conversation(self, calls: list[tuple[str, Request]]) -> list[Exchange]:
        """Makes the calls, which are to be refused or start no work, one after another on one connection, as far as
        the server keeps it open."""
        connection, send_options = self._connection(), SendOptions(keep_alive=True, refusal=True)
        exchanges = []
        try:
            for label, plain in calls:
                request = self._with_fields(plain)
                self._mind(label, request, send_options)
                exchanges.append(self._done(request, connection.exchange(label, request, send_options)))
            return exchanges
        finally:
            connection.close()

    def raw(self, label: str, data: bytes, *, cut: bool = False, stop_when: StopWhen | None = None) -> Exchange:
        """Sends bytes that need not be HTTP; with `cut`, closes without waiting for an answer.

        The request is recorded with method and target "", and with the bytes as its body.
        """
        request = Request("", "", (), data)
        self._mind(label, request, SendOptions(raw=data, cut=cut))
        exchange = self._connection().exchange(label, request, SendOptions(raw=data, cut=cut), stop_when)
        return self._done(request, exchange, reserved=not cut)

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

    def has_stalled(self, request: Request) -> str:
        """Why no request like this one, which is to be refused, is worth the time any more: the target has left so many
        without an answer. "" where it is."""
        operation = f"{request.method} {request.target}"
        if not self.patience.has_stalled(Kind.REFUSAL, operation):
            return ""
        return f"not asked any more: {STALLS} requests to {operation} that it should refuse got no answer"

    def _mind(self, label: str, request: Request, send_options: SendOptions) -> None:
        """Reserves what a request may cost. Raises NotSent where none is to be sent any more, or none of this kind."""
        cost = Cost() if send_options.cut else most(request)
        with self._lock:
            objection = self._objection(request, send_options, cost)
            if objection is not None:
                self.leave_out(label, str(objection))
                raise objection
            self._reserved += cost
        self._ask(label)

    def _objection(self, request: Request, send_options: SendOptions, cost: Cost) -> NotSent | None:
        """Why a request is not sent."""
        longest, operation = self.settings.max_duration, f"{request.method} {request.target}"
        kind = kind_of(request, send_options)
        if self.life.is_gone:
            return NotSent(GONE)
        if longest is not None and self._clock() >= longest:
            return NotSent(f"max-duration: no request was sent after {longest:g} s")
        if self._clock() >= self._asks_until:
            return NotSent(f"no request was sent after {self._asks_until:g} s, which is all that the plan can take")
        if kind is Kind.WORK and self.patience.has_stalled(kind, operation):
            return NotSent(f"not asked any more: {STALLS} requests to {operation} got no answer in time")
        if not self.affords(cost):
            spent = f"--budget {spelled(self.settings.budget)} is spent"
            return OverBudget(f"not sent, since a server may accept it: {spent}")
        return None

    @property
    def deaths(self) -> int:
        """How often it has died so far."""
        return self.life.deaths

    def affords(self, cost: Cost) -> bool:
        """Whether what was spent, and what still runs, leaves room for `cost` in the budget."""
        return self.settings.budget.allows(self.spent + self._reserved + cost)

    def spares(self, cost: Cost) -> bool:
        """The same for what no plan has: what later scenarios are planned to cost is left to them."""
        return self.affords(self.planned + cost)

    def leave_out(self, label: str, reason: str) -> None:
        """Keeps that a request was not sent."""
        self.left_out[label] = reason

    def _connection(self, *, control: bool = False) -> Connection:
        extra, trust = self.settings.headers, self._trust
        address = (self.settings.control_address if control else None) or self._address
        return Connection(address, self.patience, self._clock, extra, trust, self._place)

    def _clock(self) -> float:
        return time.monotonic() - self._epoch

    def _done(self, request: Request, exchange: Exchange, *, reserved: bool = True) -> Exchange:
        """Counts an exchange, and looks whether the target has outlived it."""
        with self._lock:
            self.spent += self._cost_of(exchange)
            if reserved:
                self._reserved -= most(request)
        if not exchange.on_control:  # which tells nothing of the life of the target
            exchange = self.life.after(exchange)
        with self._lock:
            self._made.append(exchange)
        return exchange

    def _wait_for_an_answer(self, seconds: float) -> None:
        """Asks for /health until there is any answer: what accepts connections may not serve yet."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._connection().exchange("", Request("GET", "/health")).status is not None:
                return
            time.sleep(POLL)


def _not_handed_over(made: Sequence[Exchange], handed: Sequence[Exchange]) -> Iterator[Exchange]:
    """The exchanges that a scenario made and did not come to hand over, in order; each under a label of its own."""
    known = {exchange.started for exchange in handed}
    taken = {exchange.label for exchange in handed}
    for exchange in sorted(made, key=lambda exchange: exchange.started):
        if exchange.started not in known:
            label = exchange.label
            while label in taken:
                label += "+"
            taken.add(label)
            yield replace(exchange, label=label)


def _most_bytes(settings: Settings) -> tuple[int, int]:
    """One and a half times what the longest honest answer to a scenario takes (each step with a raw preview in base64),
    and some more; twice what its longest event takes, and some more."""
    width, height = settings.size or LARGEST
    pictures = max(settings.steps or 0, MOST_PICTURES) + 2
    picture = width * height * 4
    return SPARE_BYTES + 3 * pictures * picture // 2, SPARE_BYTES // 4 + 2 * picture
