"""Ways to send several requests: one after another until the target has gone silent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.http.target import Target, first_event

SILENT_ENOUGH = 3
"""After so many requests without any answer the rest of a series is not sent: each costs a whole idle time-out."""
LONGEST_PAUSE = 5.0


def silent(exchange: Exchange) -> bool:
    """Whether nothing came back within the limits."""
    return exchange.status is None and exchange.end in (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT, End.UNREACHABLE)


def refused(exchange: Exchange) -> bool:
    """Whether the target answered, and said no."""
    return exchange.status is not None and exchange.status != 200


def labelled(exchange: Exchange, label: str) -> Exchange:
    """The same exchange under another label."""
    return replace(exchange, label=label)


def one_by_one(target: Target, cases: Iterable[tuple[str, Request]]) -> Iterator[Exchange]:
    """Sends requests that should be refused; hangs up on one that is accepted at its first progress event."""
    unanswered = 0
    for label, request in cases:
        if target.has_stalled(request):
            return
        exchange = target.send(label, request, stop_when=first_event())
        yield exchange
        unanswered += silent(exchange)
        if unanswered == SILENT_ENOUGH:
            return


def pause(exchange: Exchange) -> None:
    """Waits as long as a busy target asks for, within reason."""
    asked = exchange.header("retry-after") or ""
    time.sleep(min(LONGEST_PAUSE, float(asked)) if asked.isascii() and asked.isdigit() else 1.0)
