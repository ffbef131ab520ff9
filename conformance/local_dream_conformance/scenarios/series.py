"""Ways to send several requests: one after another until the target has gone silent.

What is accepted is read to its end, also where it should have been refused: servers have died of a client that hung up
on such a stream, and one of a kind tells enough, so that no more of it is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.errors import NotSent, OverBudget
from local_dream_conformance.core.exchange import BUSY, End, Exchange, Request
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.target import Target

SILENT_ENOUGH = 3
"""After so many requests without any answer the rest of a series is not sent: each costs a whole idle time-out."""
LONGEST_PAUSE = 5.0
REFUSAL = SendOptions(refusal=True)
"""How requests are sent that are to be refused."""


def silent(exchange: Exchange) -> bool:
    """Whether nothing came back within the limits."""
    return exchange.status is None and exchange.end in (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT, End.UNREACHABLE)


def refused(exchange: Exchange) -> bool:
    """Whether the target answered, and said no."""
    return exchange.status is not None and exchange.status != 200


def labelled(exchange: Exchange, label: str) -> Exchange:
    """The same exchange under another label."""
    return replace(exchange, label=label)


def one_by_one(
    target: Target, cases: Iterable[tuple[str, Request]], kind: Callable[[str], str] = lambda label: label
) -> Iterator[Exchange]:
    """Sends requests that should be refused, but none of a kind of which one was accepted, and none without room in the
    budget. `kind` says of a label of what kind it is. Raises NotSent where the target is gone.
    """
    accepted: set[str] = set()
    unanswered = 0
    waiting = iter(cases)
    for label, request in waiting:
        if kind(label) in accepted:
            continue
        if stalled := target.has_stalled(request):
            _leave_out(target, [label, *(later for later, _ in waiting)], stalled)
            return
        try:
            exchange = target.send(label, request, REFUSAL)
        except OverBudget:
            continue
        except NotSent as stop:
            _leave_out(target, (later for later, _ in waiting), str(stop))
            raise
        yield exchange
        if spent_on(exchange) != Cost():
            accepted.add(kind(label))
        unanswered += silent(exchange)
        if unanswered == SILENT_ENOUGH:
            _leave_out(target, (later for later, _ in waiting), f"not asked: {SILENT_ENOUGH} before it got no answer")
            return


def _leave_out(target: Target, labels: Iterable[str], reason: str) -> None:
    for label in labels:
        target.leave_out(label, reason)


def with_room(call: Callable[[], Exchange]) -> Iterator[Exchange]:
    """Makes a call where the budget has room for it. Raises NotSent where none is to be made for another reason."""
    try:
        yield call()
    except OverBudget:
        return


def pause(exchange: Exchange) -> None:
    """Waits as long as a busy target asks for, within reason."""
    asked = exchange.header("retry-after") or ""
    time.sleep(min(LONGEST_PAUSE, float(asked)) if asked.isascii() and asked.isdigit() else 1.0)


def patiently(target: Target, call: Callable[[], Exchange]) -> Exchange:
    """Makes a call, and again as long as the target is busy and says for how long, within its idle time-out."""
    until = time.monotonic() + target.settings.idle_timeout
    exchange = call()
    while exchange.status in BUSY and exchange.header("retry-after") and time.monotonic() < until:
        pause(exchange)
        exchange = call()
    return exchange
