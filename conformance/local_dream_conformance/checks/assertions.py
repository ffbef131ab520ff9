"""Whether a server took a request on or refused it, and the expectations that checks build on that."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import ABSENT, BUSY, GENERATE, End, Exchange
from local_dream_conformance.core.fields import documented
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.selectors import fields, outcome, undecodable
from local_dream_conformance.scenarios.forms import forms_of

NEEDED = (
    "base",
    "defaults/",
    "strength/",
    "nulls",
    "negative",
    "repeat",
    "edges/",
    "chain/",
    "fields/",
    "hang-up/",
    "overlap/",
    "queue/",
    "recorded/",
)
"""Prefixes of the generations that a server has to take on."""


def present(context: Context, *labels: str) -> Iterator[Exchange]:
    """The exchanges with these labels, as far as there are any. Raises MissingEvidence where there are none."""
    found = [label for label in labels if label in context]
    if not found:
        raise MissingEvidence(" or ".join(labels), ours=True)
    for label in found:
        yield context[label]


def accepted(exchange: Exchange) -> bool:
    """Whether the server took a generation on: it made progress, or was still at it when the suite hung up."""
    if exchange.status != 200:
        return False
    return generation(exchange).has_begun or exchange.end is End.HUNG_UP


def expect_status(context: Context, exchange: Exchange, *statuses: int, what: str = "", cause: str = "") -> bool:
    """Expects one of these statuses. `what` says what the request was; `cause` is the likely cause of another one."""
    if not cause and exchange.status == 500 and 400 in statuses:
        cause = "the server takes the client's mistake for its own failure: an exception that nobody catches?"
    return context.expect(
        exchange.status in statuses,
        expected=f"status {' or '.join(map(str, statuses))}{' for ' + what if what else ''}",
        got=outcome(exchange),
        exchange=exchange,
        cause="" if exchange.status in statuses else cause,
    )


def expect_uncoded(context: Context, exchange: Exchange) -> None:
    """Expects no coding of the body but one that the request asks for with Accept-Encoding, and a body that has it."""
    codings = [part.strip().lower() for text in exchange.values("content-encoding") for part in text.split(",")]
    asked = exchange.request.header("accept-encoding") or "identity"
    allowed = {part.partition(";")[0].strip().lower() for part in asked.split(",")} | {"identity", ""}
    context.expect(
        set(codings) <= allowed,
        expected=f"no Content-Encoding beyond what the request asks for (Accept-Encoding: {asked})",
        got=escape(", ".join(codings), 80),
        exchange=exchange,
        cause="clients that believe the header cannot read the answer; a proxy that compresses holds events back",
    )
    context.expect(
        not undecodable(exchange),
        expected="a body in the coding that Content-Encoding names",
        got=exchange.detail,
        exchange=exchange,
    )


def generations(context: Context) -> list[Exchange]:
    """The generations that the server had to take on, oddities aside; without those it was too busy for."""
    return [
        exchange
        for exchange in context.exchanges.values()
        if exchange.operation == GENERATE
        and exchange.label.startswith(NEEDED)
        and exchange.label != "hang-up/refused-meanwhile"
        and exchange.status not in BUSY
    ]


def expect_taken(context: Context, odd: Callable[[Exchange], bool], what: str, cause: str = "") -> None:
    """Expects that a server takes generations on whose request is odd in the way that `what` says.

    One that was taken on proves it. Where none was, it is the oddity's fault only if others were taken on, and if no
    field that these requests leave out is to blame (GEN-REQ-05); MissingEvidence is raised where that cannot be told.
    """
    exchanges = generations(context)
    candidates = [exchange for exchange in exchanges if odd(exchange)]
    taken = [exchange for exchange in candidates if accepted(exchange)]
    if not candidates:
        raise MissingEvidence(f"no request had {what}", ours=True)
    if not taken:
        others = [exchange for exchange in exchanges if not odd(exchange)]
        if not any(accepted(exchange) for exchange in others):
            raise MissingEvidence("the server took no generation on, whatever was in the request")
        if any(other.request.body == candidates[-1].request.body and not accepted(other) for other in others):
            raise MissingEvidence(f"the server takes the same request without {what} on as little as with it")
        if any(len(forms_of(exchange)) == 1 and exchange.status is not None for exchange in candidates):
            raise MissingEvidence("a request in this form alone was sent, and is judged as that")
        if field := _needed_field(candidates, others):
            raise MissingEvidence(f"the server takes no generation on without {field}, with or without {what}")
    shown = context[(taken or candidates)[-1].label]
    context.expect(
        bool(taken),
        expected=f"a generation begins for a request with {what}",
        got=outcome(shown),
        exchange=shown,
        cause=cause,
    )


def _needed_field(candidates: list[Exchange], others: list[Exchange]) -> str | None:
    """A documented field that all candidates leave out and without which no other request was taken on either."""
    for field in documented():
        lacking = [exchange for exchange in others if field not in fields(exchange.request)]
        if (
            lacking
            and not any(accepted(exchange) for exchange in lacking)
            and not any(field in fields(exchange.request) for exchange in candidates)
        ):
            return field
    return None


def unless_absent(context: Context, path: str = "/generate") -> None:
    """Ends the check where every POST to `path` that it sees is answered as if there were no such operation."""
    statuses = {e.status for e in context.exchanges.values() if e.operation == f"POST {path}"}
    if statuses and statuses <= set(ABSENT):
        shown = " or ".join(sorted(str(status) for status in statuses))
        context.not_applicable(f"the server has no {path}: every POST to it is answered with status {shown}")


def _is_whole(exchange: Exchange) -> bool:
    """Whether an answer came to its end; a stream to its terminal event."""
    if exchange.status is None:
        return False
    stream = generation(exchange)
    return stream.terminal is not None if stream.is_stream else exchange.end in (End.COMPLETE, End.EOF)


def expect_there(
    context: Context, extension: str, there: bool, evidence: str, exchange: Exchange | None = None
) -> None:
    """Expects an extension where it is declared. Elsewhere its absence ends the check as not applicable.

    `evidence` says in one line what shows that it is or is not there; reports show it. An answer that never came, or
    did not come to its end, shows neither: raises MissingEvidence.
    """
    if not there and exchange is not None and not _is_whole(exchange):
        raise MissingEvidence(f"no answer shows whether it is there: {outcome(exchange)}")
    if there or context.settings.declares(extension):
        context.remark = evidence
        context.expect(
            there,
            expected=f"the extension {extension}, which --extension declares",
            got=evidence,
            exchange=exchange,
        )
        return
    context.not_applicable(evidence)
