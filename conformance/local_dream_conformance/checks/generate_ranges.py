"""Checks of the group generate-ranges: values out of range are answered, and better refused.

Most follow from the contract's fields: a request `range/FIELD-...` is judged by the requirement that speaks of what its
value breaks. What the schema of a single field cannot say stands at the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from local_dream_conformance.checks.assertions import expect_status, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.core.fields import documented
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.selectors import fields, outcome

CAUSES = {
    "GEN-RNG-04": "the server rounds the size, or makes an odd one?",
    "GEN-RNG-05": "the value is clamped, or used as it is?",
    "GEN-RNG-06": "the seed is cut to 32 bits?",
    "GEN-RNG-07": 'read as "random", or as 4294967295?',
    "GEN-RNG-09": "the server silently takes another scheduler?",
}
"""Why a value may have been accepted, as far as it is known."""


SERIES = ("range/", "destructive/range/")
"""Prefixes of the requests: what has killed servers is asked apart."""


@check("GEN-RNG-01", needs=["range"], also=["destructive"])
def gets_an_answer(context: Context) -> None:
    unless_absent(context)
    for exchange in context.starting(*SERIES):
        if exchange.label == "range/health":
            continue
        crashed = exchange.end in (End.RESET, End.TRUNCATED, End.MALFORMED)
        context.expect(
            _ended(exchange),
            expected=f"an answer that ends, for {_odd(exchange)}",
            got=outcome(exchange),
            exchange=exchange,
            cause="the server crashed on it?" if crashed else "",
        )
    if "range/health" in context:
        expect_status(context, context["range/health"], 200, what="GET /health after values out of range")


def _ended(exchange: Exchange) -> bool:
    """Whether there is an answer and its end. Where the suite hung up, a picture was in the making."""
    if exchange.status is None or exchange.end not in (End.COMPLETE, End.EOF, End.HUNG_UP):
        return False
    return exchange.status != 200 or exchange.end is End.HUNG_UP or generation(exchange).end is not None


def _expect_refused(context: Context, exchanges: Sequence[Exchange], what: str, cause: str) -> None:
    """Expects 400 for each. `what` is what they had to show, `cause` why one may have been accepted."""
    unless_absent(context)
    if not exchanges:
        raise MissingEvidence(f"no request with {what} was sent")
    for exchange in exchanges:
        expect_status(context, exchange, 400, what=_odd(exchange), cause=cause if exchange.status == 200 else "")


def _out_of_range(id: str, names: Sequence[str]) -> Callable[[Context], None]:
    def out_of_range(context: Context) -> None:
        tried = context.starting(*(f"{series}{name}-" for series in SERIES for name in names))
        meant = [exchange for exchange in tried if id in _broken(exchange)]
        _expect_refused(context, meant, f"such a value of {' or '.join(names)}", CAUSES.get(id, ""))

    out_of_range.__qualname__ = f"{'_or_'.join(names)}_out_of_range"
    return out_of_range


def _broken(exchange: Exchange) -> set[str]:
    """The requirements that speak of the value that a request is about."""
    name = exchange.label.rpartition("/")[2].partition("-")[0]
    return documented()[name].ids_broken_by(fields(exchange.request).get(name))


def _ranged() -> Mapping[str, Sequence[str]]:
    """The requirements that speak of a value out of range, each with the fields that it is said of."""
    found: dict[str, list[str]] = {}
    for name, field in documented().items():
        for id in sorted(field.range_ids()):
            found.setdefault(id, []).append(name)
    return found


for _id, _names in _ranged().items():
    check(_id, needs=["range"], also=["destructive"])(_out_of_range(_id, _names))


@check("GEN-RNG-08", needs=["range"])
def stride(context: Context) -> None:
    """With previews alone, which the schema of the field does not know."""
    cause = "the stride is clamped, or taken for no previews?"
    _expect_refused(context, [*context.starting("range/stride-")], "such a stride", cause)


def _odd(exchange: Exchange) -> str:
    """What is out of range in a request: the field that its label names, with its value."""
    name = exchange.label.rpartition("/")[2]
    field = name.partition("-")[0].replace("stride", "show_diffusion_stride")
    value = fields(exchange.request).get(field)
    if value is None or (isinstance(value, str) and len(value) > 40):
        return name.replace("-", " ")
    return f"{field}: {escape(json.dumps(value), 40)}"
