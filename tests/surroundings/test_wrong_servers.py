"""Servers that leave open, drip or forget what they should end: a run on them ends soon, and says what is wrong and no
more."""

from __future__ import annotations

import pytest

from local_dream_conformance.core.exchange import End
from local_dream_conformance.core.verdict import Verdict
from local_dream_mockserver.faults.catalogue import entries
from tests.matrix.standing import standing
from tests.surroundings.judged import WRONG, judge

GAVE_UP = (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT)
GENERATIONS = 8
NAMED: dict[str, tuple[set[str], int]] = {
    "stream-left-open": ({"GEN-EVT-14"}, GENERATIONS),
    "refusal-never": ({"GEN-REQ-01", "UPS-REQ-01", "UPS-REQ-02"}, 5),
    "refusal-left-open": ({"SRV-04"}, 2),
    "health-left-open": ({"SRV-04"}, 2),
    "pings-alone": ({"GEN-EVT-12"}, 2),
    "no-answer": ({"GEN-SSE-01", "UPS-ANS-01"}, 4),
    "stall": ({"GEN-EVT-12", "UPS-ANS-02"}, 4),
}
"""What is found in core, and how many exchanges the suite gives up waiting for at most: more tell nothing new."""


@pytest.mark.parametrize(("name", "found", "most"), [(name, *one) for name, one in NAMED.items()], ids=NAMED)
def test_it_is_named_and_not_waited_for_again_and_again(name: str, found: set[str], most: int) -> None:
    with standing(entries()[name]) as (url, _):
        judgements, exchanges = judge(url, idle_timeout="1")
    assert {id for id, judgement in judgements.items() if judgement.verdict in WRONG} == found
    assert sum(exchange.end in GAVE_UP for exchange in exchanges.values()) <= most


def test_what_was_not_asked_any_more_is_untested_and_says_why() -> None:
    with standing(entries()["refusal-never"]) as (url, _):
        judgements, _ = judge(url, idle_timeout="1")
    judgement = judgements["GEN-TYP-01"]
    assert judgement.verdict is Verdict.UNTESTED
    assert judgement.reason.startswith("not asked any more: 2 requests to POST /generate that it should refuse")


def test_events_without_names_break_the_framing_alone() -> None:
    with standing(entries()["event-line-missing"]) as (url, _):
        judgements, _ = judge(url, profile="hardened", idle_timeout="3")
    assert {id for id, judgement in judgements.items() if judgement.verdict in WRONG} == {"GEN-SSE-06"}


def test_a_server_that_looks_at_no_path_is_not_said_to_read_files() -> None:
    with standing(entries()["upscaler-path-ignored"]) as (url, _):
        judgements, _ = judge(url, profile="hardened", idle_timeout="3")
    assert {id for id, judgement in judgements.items() if judgement.verdict in WRONG} == {"UPS-REQ-09"}
