"""Checks of the group server: what holds for every answer, whatever was asked."""

from __future__ import annotations

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import UPSCALE, End, Exchange
from local_dream_conformance.evidence.selectors import outcome
from local_dream_conformance.http.sse import MEDIA_TYPE

BROKEN_OFF = (End.TRUNCATED, End.RESET, End.MALFORMED)
EVERYTHING = [""]
"""The prefix of every label."""


@check("SRV-04", needs=["health"], over=EVERYTHING)
def answers_end(context: Context) -> None:
    judged = [exchange for exchange in context.exchanges.values() if _is_plain(exchange)]
    if not judged:
        raise MissingEvidence("there was no answer that is neither a stream nor a picture")
    for exchange in judged:
        context.expect(
            not exchange.is_cut and exchange.end is not End.TOO_LARGE,
            expected="the end of the answer",
            got=outcome(exchange) + ("" if exchange.end in BROKEN_OFF else _open(exchange)),
            exchange=context[exchange.label],
            cause="" if exchange.end in BROKEN_OFF else "clients wait for the rest",
        )


def _open(exchange: Exchange) -> str:
    return f"; open still after {exchange.ended_at:.1f} s, when the suite hung up"


def _is_plain(exchange: Exchange) -> bool:
    """Whether there is an answer that is no event stream and no picture; what need not be HTTP may be left open.

    A stream is one also where its status is wrong: the suite reads little of what is not 200, and hangs up.
    """
    if exchange.status is None or exchange.request.method == "":
        return False
    stream = exchange.media_type == MEDIA_TYPE and 200 <= exchange.status < 300
    return not (stream or (exchange.status == 200 and exchange.operation == UPSCALE))
