"""One call to a server, and what a person is told where it brings no picture."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NoReturn

import click

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import BUSY, End, Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence import envelope
from local_dream_conformance.http import preflight
from local_dream_conformance.http.connection import Connection
from local_dream_conformance.http.patience import Limits, Patience
from local_dream_conformance.http.preflight import Unreachable
from local_dream_conformance.http.trust import Trust

SPARE_BYTES = 8 << 20
CANCELLED = 130
"""The exit code after Ctrl-C, as of every program that it ends."""
WHOLE = (End.COMPLETE, End.EOF)


class Failure(click.ClickException):
    """There is no picture; the message is one line."""

    exit_code = 1


class Unanswered(Failure):
    """Nothing that speaks this API answers. The exit code is that of `local-dream check`."""

    exit_code = 6


def call(settings: Settings, request: Request, most: int, hear: Callable[[bytes], None]) -> Exchange:
    """Makes a call and reads at most about `most` bytes of the answer; `hear` gets its body piece by piece. Answers
    with one of status 200. Ctrl-C hangs up, and ends the program. Raises Failure."""
    limits = Limits(settings.idle_timeout, settings.total_timeout, SPARE_BYTES + most)
    trust = Trust(settings.cacert, settings.insecure)
    connection = Connection(settings.address, Patience(limits), time.monotonic, settings.headers, trust)

    heard = 0

    def listen(piece: bytes) -> bool:
        nonlocal heard
        heard += len(piece)
        hear(piece)
        return False

    try:
        exchange = connection.exchange("", request, stop_when=listen)
    except KeyboardInterrupt:
        connection.close()
        click.echo("\ncancelled: the server has been hung up on", err=True)
        sys.exit(CANCELLED)
    if exchange.status is None:
        _no_answer(settings, exchange)
    hear(exchange.body[heard:])  # what came with the end
    if exchange.status != 200:
        raise Failure(settings.redact(refusal(exchange)))
    return exchange


def refusal(exchange: Exchange) -> str:
    """What a server said in place of a picture."""
    said = envelope.message(exchange)
    text = escape(said, 2000) if said is not None else escape(exchange.body, 200) or "with nothing"
    busy = exchange.status in BUSY
    words = "is busy" if busy else "refused" if exchange.status is not None and exchange.status < 500 else "failed"
    again = exchange.header("retry-after") if busy else None
    wait = f"; it asks to be asked again in {escape(again, 40)} s" if again else ""
    return f"the server {words} ({exchange.status}): {text}{wait}"


def ended(exchange: Exchange) -> str:
    """How an answer ended before it was whole, in brackets; "" where it is whole."""
    return "" if exchange.end in WHOLE else f" ({_detail(exchange)})"


def _detail(exchange: Exchange) -> str:
    return exchange.detail or exchange.end.value


def _no_answer(settings: Settings, exchange: Exchange) -> NoReturn:
    """Why no answer came, which a call that any server answers can tell best."""
    if exchange.end in (End.UNREACHABLE, End.MALFORMED):
        try:
            preflight.reach(settings)
        except Unreachable as error:
            raise Unanswered(settings.redact(str(error))) from None
    raise Unanswered(settings.redact(f"{settings.address.public}: no answer: {_detail(exchange)}"))
