"""Checks of the group errors: the envelope of error answers, and that a server outlives what it refuses."""

from __future__ import annotations

from collections.abc import Sequence

from local_dream_conformance.checks.assertions import expect_status, present, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import GENERATE, UPSCALE, Exchange
from local_dream_conformance.evidence import envelope
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.selectors import fields, outcome
from local_dream_conformance.scenarios.forms import forms_of
from local_dream_conformance.scenarios.narrowing import failed
from local_dream_conformance.scenarios.series import silent

TYPES = {400: "request_error", 500: "server_error"}
EVERYTHING = [""]
"""The prefix of every label."""
JUDGED_APART = ("refuse/body-not-utf8", "overlap/second-busy")
"""Bad UTF-8, which HTTP libraries answer on their own (ERR-07, ERR-08), and being busy (ROB-02)."""
BAD_PICTURES = tuple(f"refuse-image/{name}-not-" for name in ("image", "mask"))
"""With what the labels begin of pictures that cannot be read."""


def _errors(context: Context) -> list[Exchange]:
    """Answers of /generate and /upscale with status 400 or 500. Raises MissingEvidence where there is none."""
    found = [
        context[label]
        for label, exchange in context.exchanges.items()
        if exchange.status in TYPES
        and (exchange.operation == GENERATE or exchange.operation == UPSCALE)
        and not label.startswith(JUDGED_APART)
        and not envelope.unknown(exchange)
    ]
    if not found:
        raise MissingEvidence("no answer of /generate or /upscale had status 400 or 500")
    return found


@check("ERR-01", needs=["refuse"], over=EVERYTHING)
def media_type(context: Context) -> None:
    for exchange in _errors(context):
        context.expect(
            exchange.media_type == "application/json",
            expected=f"media type application/json with status {exchange.status}",
            got=escape(exchange.header("content-type") or "no Content-Type", 80),
            exchange=exchange,
            cause=_own(exchange),
        )


@check("ERR-02", needs=["refuse"], over=EVERYTHING)
def shape(context: Context) -> None:
    for exchange in _errors(context):
        problem = envelope.problem(exchange)
        context.expect(
            not problem,
            expected='{"error": {"message": M, "type": T}} with M a non-empty string',
            got=problem,
            exchange=exchange,
            cause=_own(exchange),
        )


def _own(exchange: Exchange) -> str:
    return "the answer of the HTTP library, not of the API's code?" if exchange.media_type != "application/json" else ""


@check("ERR-03", needs=["refuse"], over=EVERYTHING)
def type_fits_the_status(context: Context) -> None:
    kinds = [(exchange, envelope.kind(exchange)) for exchange in _errors(context)]
    named = [(exchange, kind) for exchange, kind in kinds if kind is not None]
    if not named:
        raise MissingEvidence("no error answer had an error.type (see ERR-02)")
    for exchange, kind in named:
        wanted = TYPES[exchange.status or 0]
        context.expect(
            kind == wanted,
            expected=f"error.type {wanted} with status {exchange.status}",
            got=escape(repr(kind), 80),
            exchange=exchange,
        )


@check("ERR-04", needs=["health"], over=EVERYTHING)
def other_statuses_carry_it_too(context: Context) -> None:
    judged = False
    for label, exchange in context.exchanges.items():
        status = exchange.status or 0
        apart = exchange.on_control or label.startswith(JUDGED_APART)  # control errors have a form of their own
        told_by_the_api = exchange.request.method not in ("", "HEAD") and not apart
        known = status in TYPES and (exchange.operation == GENERATE or exchange.operation == UPSCALE)
        if status >= 400 and told_by_the_api and not known and not envelope.unknown(exchange):
            judged = True
            problem = envelope.problem(context[label])
            context.expect(
                not problem, expected=f"the error envelope with status {status}", got=problem, exchange=exchange
            )
    if not judged:
        raise MissingEvidence("no answer had an error status other than 400 and 500")


@check("ERR-05", needs=["refuse"], over=["refuse-image/", "upscale-refuse/", "keep-alive/"])
def health_goes_on(context: Context) -> None:
    series = ("refuse/", "refuse-image/", "upscale-refuse/")
    if not any((one.status or 0) >= 400 for label, one in context.exchanges.items() if label.startswith(series)):
        raise MissingEvidence("no request was refused")
    for exchange in present(
        context, *(f"{scenario}/health" for scenario in ("refuse", "refuse-image", "upscale-refuse"))
    ):
        expect_status(context, exchange, 200, what="GET /health after requests that were refused")


@check(
    "ERR-06",
    needs=["refuse", "defaults"],
    over=["refuse-image/", "upscale-refuse/", "upscale/"],
    requires=["GEN-EVT-12"],
)
def work_goes_on(context: Context) -> None:
    refusals = [
        exchange
        for exchange in context.starting("refuse/")
        if exchange.operation == GENERATE and exchange.status is not None and exchange.status >= 400
    ]
    if not refusals:
        raise MissingEvidence("no request was refused")
    last = max(refusals, key=lambda exchange: exchange.started)
    later = [exchange for exchange in context.starting("defaults/") if exchange.started > last.started]
    if not later:
        raise MissingEvidence("no generation was asked for after the refusals")
    # Where the first is refused for what it is (GEN-REQ-05), the second is the next valid request after a refusal.
    # Where it is refused for one form in it, which a request in that form alone shows, it is the one without it.
    later.sort(key=lambda one: one.started)
    exchange = next((one for one in later if one.status != 400), later[0])
    blamed = {forms_of(one)[0] for one in later if len(forms_of(one)) == 1 and failed(one)}
    if blamed & set(forms_of(exchange)):
        exchange = next((one for one in later if not failed(one)), exchange)
    context.expect(
        exchange.status == 200 and generation(exchange).complete is not None,
        expected="a generation that completes after requests that were refused",
        got=outcome(exchange),
        exchange=exchange,
        cause="a refused request leaves a lock taken, or broken state behind?",
    )
    _judge_next_picture(context, later)
    _judge_next_upscale(context)


def _judge_next_upscale(context: Context) -> None:
    """Expects the first upscale after those that were refused to be taken, if not for a form or a header of its
    request."""
    upscales = [one for one in context.exchanges.values() if one.operation == UPSCALE and one.label in context]
    bad = [one for one in upscales if one.label.startswith("upscale-refuse/") and failed(one)]
    later = sorted((one for one in upscales if one.label.startswith("upscale/")), key=lambda one: one.started)
    _judge_silence(context, bad, later)
    taken = {said for one in later if one.status == 200 for said in _said(one)}
    if not bad or not any(one.status == 200 for one in later) or min(one.started for one in bad) > later[0].started:
        return
    first = context[later[0].label]
    context.expect(
        not (failed(first) and _said(first) <= taken),
        expected="an upscale that is served after one that was refused",
        got=f"{outcome(first)}; every form and header of it was taken later",
        exchange=first,
        cause="what was refused is kept, and takes the place of the next picture?",
    )


def _judge_silence(context: Context, refused: Sequence[Exchange], later: Sequence[Exchange]) -> None:
    """Expects an answer to some upscale, or to something that is to be refused, after the first that was refused."""
    first = min(refused, key=lambda one: one.started, default=None)
    health = context.exchanges.get("upscale-refuse/health")
    if first is None or not later or health is None or health.status != 200:
        return
    series = [one for one in context.exchanges.values() if one.operation == UPSCALE and one.started > first.started]
    again = [one for one in series if one.label.startswith("upscale-refuse/")]
    context.expect(
        not again or not all(silent(one) for one in series),
        expected="an upscale that is answered after one that was refused",
        got=f"{outcome(later[0])}; {first.label} was answered, and nothing to /upscale that came after it",
        exchange=context[later[0].label],
        cause="a refused request leaves a lock taken?",
    )


def _said(upscale: Exchange) -> set[str | tuple[str, str]]:
    """The forms of a request, and its headers but those that follow from the picture's size."""
    sized = ("content-length", "x-image-width", "x-image-height")
    headers = {(name.lower(), value) for name, value in upscale.request.headers if name.lower() not in sized}
    return headers.union(forms_of(upscale))


def _judge_next_picture(context: Context, later: Sequence[Exchange]) -> None:
    """Expects the first picture after those that cannot be read to be taken, if not for a form of its request."""
    bad = [one for label, one in context.exchanges.items() if label.startswith(BAD_PICTURES) and failed(one)]
    pictured = [one for one in later if fields(one.request).get("image")]
    if not bad or not pictured or min(one.started for one in bad) > pictured[0].started:
        return
    taken = {name for one in pictured if not failed(one) for name in forms_of(one)}
    works = any(not failed(one) for one in pictured)
    first = context[pictured[0].label]
    context.expect(
        not (failed(first) and works and set(forms_of(first)) <= taken),
        expected="an image that is read after one that cannot be",
        got=f"{outcome(first)}; every form in it was taken later",
        exchange=first,
        cause="what was refused is kept, and the next picture with it?",
    )


@check("ERR-07", needs=["refuse"])
def not_utf8(context: Context) -> None:
    unless_absent(context)
    for exchange in present(context, "refuse/body-not-utf8"):
        context.expect(
            exchange.status is not None and exchange.status >= 400,
            expected="an error status for a body that is not valid UTF-8",
            got=outcome(exchange),
            exchange=exchange,
        )


@check("ERR-08", needs=["refuse"], requires=["ERR-07", "ERR-01", "ERR-02"])
def not_utf8_in_the_envelope(context: Context) -> None:
    for exchange in present(context, "refuse/body-not-utf8"):
        if exchange.status == 400 and envelope.unknown(exchange):
            raise MissingEvidence(f"{exchange.label} was cut: {envelope.problem(exchange)}")
        problem = envelope.problem(exchange)
        context.expect(
            exchange.status == 400 and not problem,
            expected="status 400 and the error envelope for a body that is not valid UTF-8",
            got=outcome(exchange) if exchange.status != 400 else problem,
            exchange=exchange,
            cause="the answer quotes the body, and its bytes cannot be put into JSON?"
            if exchange.status == 500
            else "",
        )
