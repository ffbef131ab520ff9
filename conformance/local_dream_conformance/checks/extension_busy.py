"""Checks of the group extension-busy: a second generation that is refused while one runs."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from local_dream_conformance.checks.assertions import expect_there, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import GENERATE, Exchange
from local_dream_conformance.evidence import envelope
from local_dream_conformance.evidence.selectors import outcome

UNAVAILABLE = 503
MEANWHILE = ("overlap/", "hang-up/")
"""Prefixes of the generations that are asked for while another one runs, or just after it."""


def _refused(context: Context) -> list[Exchange]:
    return [e for e in context.starting(*MEANWHILE) if e.operation == GENERATE and e.status == UNAVAILABLE]


@check("EXT-BSY-01", needs=["overlap"], over=["hang-up/"], requires=[])
def there(context: Context) -> None:
    refused = _refused(context)
    unless_absent(context)
    if refused:
        expect_there(context, "busy", True, f"{refused[0].label} is answered with status {UNAVAILABLE}", refused[0])
        return
    first, second = (
        context["overlap/first"],
        context["overlap/second-busy" if "overlap/second-busy" in context else "overlap/second"],
    )
    if second.started >= first.started + first.ended_at:
        raise MissingEvidence("no generation ran long enough for another to overlap it")
    expect_there(context, "busy", False, f"a generation that overlaps another one: {outcome(second)}", second)


@check("EXT-BSY-02", needs=["overlap"], over=["hang-up/"], requires=["EXT-BSY-01"])
def says_when_to_come_back(context: Context) -> None:
    for exchange in _refused(context):
        said = exchange.header("retry-after")
        context.expect(
            said is not None and _is_delay(said.strip()),
            expected="Retry-After with whole seconds or an HTTP date",
            got="no Retry-After" if said is None else f"Retry-After: {escape(said, 60)}",
            exchange=exchange,
        )


def _is_delay(text: str) -> bool:
    if re.fullmatch(r"[0-9]{1,9}", text):
        return True
    try:
        return parsedate_to_datetime(text).utcoffset() is not None
    except ValueError:
        return False


@check("EXT-BSY-03", needs=["overlap"], over=["hang-up/"], requires=["EXT-BSY-01"])
def refuses_with_the_envelope(context: Context) -> None:
    for exchange in _refused(context):
        problem = envelope.problem(exchange)
        if exchange.media_type != "application/json":
            problem = problem or f"media type {escape(exchange.media_type, 60) or 'missing'}"
        context.expect(
            not problem,
            expected=f"application/json and the error envelope with status {UNAVAILABLE}",
            got=problem,
            exchange=exchange,
        )
