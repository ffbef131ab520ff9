"""What exchanges show of the target's death, and what a report says of it."""

from __future__ import annotations

import pytest

from local_dream_conformance.checks import survival
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.evidence.deaths import deaths, is_evidence, is_gone
from local_dream_conformance.http.life import BACK, BESIDE, DIED, EARLIER, NOT_BACK
from tests.conformance import transcripts
from tests.conformance.transcripts import answer, request

assert survival
GONE = (NOT_BACK, "refused connections from then on")
HEALTH = Request("GET", "/health")
ASKED = [answer(f"{name}/health", 200, to=HEALTH) for name in ("refuse", "hang-up")]


def died(
    label: str, *notes: tuple[str, str], end: End = End.TRUNCATED, started: float = 5.0, **fields: object
) -> Exchange:
    sent = request({"prompt": "a", **fields})
    return answer(label, None, to=sent, end=end, started=started, notes=((DIED, "1"), *notes))


@pytest.mark.parametrize(
    ("exchanges", "text"),
    [
        (
            [died("destructive/range/width-negative", GONE, width=-8)],
            'the target died of POST /generate {"width": -8}: refused connections from then on',
        ),
        (
            [died("range/steps-zero", (BACK, "1.0"), steps=0)],
            'the target died of POST /generate {"steps": 0}: refused connections, and came back after 1.0 s',
        ),
        (
            [died("hang-up/abandoned", GONE, end=End.HUNG_UP)],
            'the target died of the hang-up on POST /generate {"prompt": "a"}: refused connections from then on',
        ),
        (
            [
                died("overlap/first", GONE, started=5.0),
                answer(
                    "overlap/second", None, to=request({"seed": 1}), end=End.RESET, started=5.5, notes=((BESIDE, "1"),)
                ),
            ],
            'the target died of POST /generate {"seed": 1} (while overlap/first ran): refused connections from then on',
        ),
        (
            [
                answer("base", 200, to=request({"seed": 2}), started=1.0),
                died("refuse/x", (EARLIER, "1"), GONE, end=End.UNREACHABLE),
            ],
            'the target died, it seems of POST /generate {"seed": 2}: refused connections from then on?',
        ),
    ],
)
def test_a_death_in_one_line(exchanges: list[Exchange], text: str) -> None:
    (death,) = deaths(exchanges)
    assert death.text == text
    judgement = transcripts.judge("SRV-05", *ASKED, *exchanges)
    assert (judgement.verdict, [finding.got for finding in judgement.findings]) == (Verdict.FAIL, [text])
    assert judgement.findings[0].exchange == death.killer.label


def test_what_was_hung_up_on_before_may_be_to_blame() -> None:
    abandoned = answer("destructive/hung-up", None, to=request(), end=End.HUNG_UP, started=4.0)
    (death,) = deaths([abandoned, died("destructive/next", GONE)])
    assert death.cause == "what was left of destructive/hung-up, on which the client had hung up just before?"


def test_a_recording_without_notes_shows_where_nothing_could_be_reached_any_more() -> None:
    last = answer("refuse/a", None, to=request(), end=End.UNREACHABLE, started=3.0)
    (death,) = deaths([answer("base", 200, to=request(), started=1.0), last])
    assert (death.killer.label, death.certain, is_gone([last])) == ("base", False, True)
    again = answer("refuse/b", 400, to=request(), started=4.0)
    assert deaths([last, again]) == []


def test_what_was_not_answered_is_no_evidence_and_what_was_is() -> None:
    assert not is_evidence(died("range/a", GONE))
    assert not is_evidence(answer("range/a", None, to=request(), end=End.RESET, notes=((BESIDE, "1"),)))
    assert not is_evidence(answer("range/a", None, to=request(), end=End.UNREACHABLE))
    assert is_evidence(answer("range/a", 400, to=request(), notes=((DIED, "1"), GONE)))
    assert is_evidence(answer("range/a", None, to=request(), end=End.IDLE_TIMEOUT))


def test_a_server_that_outlives_all_holds_and_one_that_was_not_asked_is_untested() -> None:
    assert transcripts.judge("SRV-05", *ASKED).verdict is Verdict.PASS
    assert transcripts.judge("SRV-05", ASKED[0]).verdict is Verdict.UNTESTED
