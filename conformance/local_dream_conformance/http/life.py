"""Whether the target lives: looked at after every exchange that gives reason to doubt it, and noted on the exchange.

A bare connection tells: it is no request, and costs the target nothing. Where none can be made, or it is closed at once
(as a forwarded port does, such as that of a phone, with nothing behind it), the target is waited for (supervised
servers come back by themselves), or started again where the user said how.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.exchange import End, Exchange

DIED, EARLIER, BESIDE = "target-died", "target-died-earlier", "target-died-beside"
BACK, RELAUNCHED, NOT_BACK = "target-back", "target-relaunched", "target-not-back"
"""Notes on exchanges. DIED: no connection could be made after it; its value names the death. EARLIER: nor for it, so
that what went before killed it. BESIDE: it ran when the target died of another one. BACK, RELAUNCHED: the seconds until
the target accepted connections again. NOT_BACK: what became of it where it did not."""

CONNECT_SECONDS = 5.0
SECOND_LOOK = 0.2
"""A server that is dying may still accept a connection."""
PATIENCE = 8.0
"""Seconds for a target to come back by itself."""
GRACE = 1.0
"""The same where the suite starts it again: two of them would fight for the port."""
MOST_DEATHS = 10
"""A target that has died so often is left alone: to wake it again and again tells nothing more."""
POLL = 0.1


def is_clean(exchange: Exchange) -> bool:
    """Whether an answer came, to its end."""
    return exchange.status is not None and exchange.end in (End.COMPLETE, End.EOF)


@dataclass(frozen=True)
class Seen:
    """A death that was noticed, and over, at these seconds of the run."""

    name: str
    noticed: float
    over: float


class Life:
    """Watches one target for one process.

    `clock` gives the seconds of the run. `answers` waits until the target answers a request, for at most so many
    seconds. `relaunch` starts the target again and says what went wrong, "" where it accepts connections.
    """

    def __init__(
        self,
        address: Address,
        clock: Callable[[], float],
        *,
        answers: Callable[[float], None] = lambda seconds: None,
        relaunch: Callable[[], str] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.is_gone = False
        self.deaths = 0
        self._address = address
        self._clock = clock
        self._answers = answers
        self._relaunch = relaunch
        self._patience = patience
        self._last: Seen | None = None
        self._refuses = True
        self._relaunched = False
        self._lock = threading.Lock()

    def after(self, exchange: Exchange, *, always: bool = False) -> Exchange:
        """The exchange, with notes where the target died. Looks where the answer gives reason to, or `always`."""
        refused = exchange.status is not None and exchange.status >= 400
        if is_clean(exchange) and not refused and not always:
            return exchange
        with self._lock:
            if DIED in dict(exchange.notes) or self.is_gone:
                return exchange
            if not is_clean(exchange) and self._last is not None and _spans(exchange, self._last):
                return _noted(exchange, (BESIDE, self._last.name))
            if self._lives(doubtful=not is_clean(exchange)):
                return exchange
            return self._died(exchange)

    def _lives(self, *, doubtful: bool) -> bool:
        if not self.accepts(held=SECOND_LOOK if doubtful else 0.0):
            return False
        return not doubtful or self.accepts()

    def accepts(self, held: float = 0.0) -> bool:
        """Whether a connection can be made, and is not closed by the other side for `held` seconds."""
        try:
            with socket.create_connection((self._address.host, self._address.port), timeout=CONNECT_SECONDS) as bare:
                if not held:
                    return True
                bare.settimeout(held)
                try:
                    closed = not bare.recv(1)
                except TimeoutError:
                    closed = False
        except (OSError, UnicodeError, ValueError) as error:
            self._refuses = isinstance(error, ConnectionError)
            return False
        self._refuses = closed
        return not closed

    def _died(self, exchange: Exchange) -> Exchange:
        noticed = self._clock()
        self.deaths += 1
        name = f"{noticed:.3f}"
        notes = [(DIED, name)]
        if exchange.end is End.UNREACHABLE:
            notes.append((EARLIER, name))
        problem = self._wake()
        self.is_gone = bool(problem)
        if problem:
            notes.append((NOT_BACK, problem))
        else:
            self._answers(self._patience)
            notes.append((RELAUNCHED if self._relaunched else BACK, f"{self._clock() - noticed:.1f}"))
        self._last = Seen(name, noticed, self._clock())
        return _noted(exchange, *notes)

    def _wake(self) -> str:
        """Waits for the target, or starts it again. What became of it, "" where it is back."""
        self._relaunched = False
        if self.deaths <= MOST_DEATHS and self._comes_back(GRACE if self._relaunch else self._patience):
            return ""
        gone = "refused connections from then on" if self._refuses else "could not be reached from then on"
        if self.deaths > MOST_DEATHS:
            return f"{gone}; it had died {MOST_DEATHS} times before"
        if self._relaunch is None:
            return gone
        self._relaunched = True
        problem = self._relaunch()
        return f"{gone}, and --relaunch did not help: {problem}" if problem else ""

    def _comes_back(self, patience: float) -> bool:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            time.sleep(POLL)
            if self.accepts(held=POLL):
                return True
        return False


def _spans(exchange: Exchange, death: Seen) -> bool:
    """Whether an exchange was under way when the target died."""
    ended = exchange.started + exchange.ended_at
    return exchange.started < death.over and ended > death.noticed - 1.0


def _noted(exchange: Exchange, *notes: tuple[str, str]) -> Exchange:
    return replace(exchange, notes=(*exchange.notes, *notes))
