"""What a finding says beside what was expected and what came."""

from __future__ import annotations

from dataclasses import replace

from local_dream_conformance.core.context import Context
from local_dream_conformance.run import suite
from tests.conformance.transcripts import SETTINGS, answer, generation, judge

FIRST = replace(generation("overlap/first"), started=10.0, ended_at=2.0)
SECOND = replace(generation("overlap/second"), started=11.0, ended_at=2.0)
LATER = replace(generation("overlap/third"), started=20.0, ended_at=2.0)
BUSY = replace(answer("overlap/second-busy", 503, to=FIRST.request), started=11.0)


def test_a_finding_in_an_overlap_says_so() -> None:
    context = Context({one.label: one for one in (FIRST, SECOND, LATER, BUSY)}, SETTINGS)
    context.expect(False, expected="a", got="b", exchange=FIRST, at="event 1")
    context.expect(False, expected="a", got="b", exchange=LATER, at="event 1")
    context.expect(False, expected="a", got="b", exchange=BUSY)
    assert [finding.at for finding in context.findings] == [
        "event 1, while overlap/second ran too",
        "event 1",
        "while overlap/first and overlap/second ran too",
    ]


def test_the_seed_of_another_generation_is_recognized() -> None:
    """State that generations share shows as a wrong seed: the finding names the other one."""
    mine = replace(generation("overlap/first", fields={"seed": 9}, sent={"prompt": "a", "seed": 8}), started=0.0)
    other = replace(generation("overlap/second", fields={"seed": 9}, sent={"prompt": "b", "seed": 9}), started=0.0)
    base = replace(generation("base"), started=-50.0)
    health = answer("health/get", 200)
    suite.load()  # imports all checks, as no other test may have done
    (finding,) = judge("GEN-EVT-19", health, base, mine, other).findings
    assert finding.exchange == "overlap/first"
    assert finding.at.endswith(", while overlap/second ran too")
    assert finding.cause == "it is the seed of overlap/second, which ran at the same time: they share their state"
