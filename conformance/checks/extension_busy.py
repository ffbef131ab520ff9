"""Checks of the group extension-busy: a second generation that is refused while one runs."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from conformance import envelope
from conformance.acceptance import unless_absent
from conformance.check import Case, MissingEvidence, check
from conformance.escape import escape
from conformance.evidence import is_generate, outcome
from conformance.presence import expect_there
from conformance.transcript import Exchange

BUSY = 503
MEANWHILE = ("overlap/", "hang-up/")
"""Prefixes of the generations that are asked for while another one runs, or just after it."""


def _refused(case: Case) -> list[Exchange]:
    return [e for e in case.starting(*MEANWHILE) if is_generate(e) and e.status == BUSY]


@check("EXT-BSY-01", needs=["overlap"], over=["hang-up/"])
def there(case: Case) -> None:
    refused = _refused(case)
    unless_absent(case)
    if refused:
        expect_there(case, "busy", True, f"{refused[0].label} is answered with status {BUSY}", refused[0])
        return
    first, second = (
        case["overlap/first"],
        case["overlap/second-busy" if "overlap/second-busy" in case else "overlap/second"],
    )
    if second.started >= first.started + first.ended_at:
        raise MissingEvidence("no generation ran long enough for another to overlap it")
    expect_there(case, "busy", False, f"a generation that overlaps another one: {outcome(second)}", second)


@check("EXT-BSY-02", needs=["overlap"], over=["hang-up/"], requires=["EXT-BSY-01"])
def says_when_to_come_back(case: Case) -> None:
    for exchange in _refused(case):
        said = exchange.header("retry-after")
        case.expect(
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
def refuses_with_the_envelope(case: Case) -> None:
    for exchange in _refused(case):
        problem = envelope.problem(exchange)
        if exchange.media_type != "application/json":
            problem = problem or f"media type {escape(exchange.media_type, 60) or 'missing'}"
        case.expect(
            not problem,
            expected=f"application/json and the error envelope with status {BUSY}",
            got=problem,
            exchange=exchange,
        )
