"""Checks of the group generate-ranges: values out of range are answered, and better refused."""

from __future__ import annotations

import json
from collections.abc import Callable

from local_dream_conformance.checks.assertions import expect_status, reached, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.selectors import fields, outcome

MAX_SEED = 2**32 - 1


@check("GEN-RNG-01", needs=["range"])
def gets_an_answer(context: Context) -> None:
    unless_absent(context)
    for exchange in reached(context.starting("range/")):
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
        health = context["range/health"]
        expect_status(
            context, health, 200, what="GET /health after values out of range", cause="the server died of one"
        )


def _ended(exchange: Exchange) -> bool:
    """Whether there is an answer and its end. Where the suite hung up, a picture was in the making."""
    if exchange.status is None or exchange.end not in (End.COMPLETE, End.EOF, End.HUNG_UP):
        return False
    return exchange.status != 200 or exchange.end is End.HUNG_UP or generation(exchange).terminal is not None


def _refused(
    context: Context, *names: str, only: Callable[[Exchange], bool] = lambda exchange: True, cause: str = ""
) -> None:
    """Expects 400 for the exchanges range/NAME*, as far as they are meant. `cause`: why one may have been accepted."""
    unless_absent(context)
    meant = [exchange for exchange in context.starting(*(f"range/{name}" for name in names)) if only(exchange)]
    if not meant:
        raise MissingEvidence(f"no request range/{names[0]}* had such a value")
    for exchange in reached(meant):
        expect_status(context, exchange, 400, what=_odd(exchange), cause=cause if exchange.status == 200 else "")


@check("GEN-RNG-02", needs=["range"])
def steps(context: Context) -> None:
    _refused(context, "steps-zero", "steps-negative")


@check("GEN-RNG-03", needs=["range"])
def size_below_one(context: Context) -> None:
    _refused(context, "width-zero", "width-negative", "height-zero", "height-negative")


@check("GEN-RNG-04", needs=["range"])
def size_not_a_multiple(context: Context) -> None:
    _refused(context, "width-odd", "height-odd", cause="the server rounds the size, or makes an odd one")


@check("GEN-RNG-05", needs=["range"])
def strength(context: Context) -> None:
    _refused(context, "denoise_strength-", cause="the value is clamped, or used as it is")


@check("GEN-RNG-06", needs=["range"])
def seed(context: Context) -> None:
    def beyond(exchange: Exchange) -> bool:
        value = fields(exchange.request).get("seed")
        return isinstance(value, int) and not -1 <= value <= MAX_SEED

    _refused(context, "seed-", only=beyond, cause="the seed is cut to 32 bits")


@check("GEN-RNG-07", needs=["range"])
def seed_minus_one(context: Context) -> None:
    _refused(
        context,
        "seed-",
        only=lambda exchange: fields(exchange.request).get("seed") == -1,
        cause='read as "random", or as 4294967295',
    )


@check("GEN-RNG-08", needs=["range"])
def stride(context: Context) -> None:
    _refused(context, "stride-", cause="the stride is clamped, or taken for no previews")


@check("GEN-RNG-09", needs=["range"])
def scheduler(context: Context) -> None:
    _refused(context, "scheduler-", cause="the server silently takes another scheduler")


def _odd(exchange: Exchange) -> str:
    """What is out of range in a request: the field that its label names, with its value."""
    name = exchange.label.rpartition("/")[2]
    field = name.partition("-")[0].replace("stride", "show_diffusion_stride")
    value = fields(exchange.request).get(field)
    if value is None or (isinstance(value, str) and len(value) > 40):
        return name.replace("-", " ")
    return f"{field}: {escape(json.dumps(value), 40)}"
