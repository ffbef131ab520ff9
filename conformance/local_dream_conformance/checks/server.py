"""Checks of the group server: what holds for every answer, whatever was asked."""

from __future__ import annotations

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import UPSCALE, End, Exchange
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.selectors import outcome

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
    """Whether there is an answer that is no event stream and no picture; what need not be HTTP may be left open."""
    if exchange.status is None or exchange.request.method == "":
        return False
    return not (exchange.status == 200 and (generation(exchange).is_stream or exchange.operation == UPSCALE))
