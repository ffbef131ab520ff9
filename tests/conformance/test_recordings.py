"""The recorded releases, judged: each broken requirement is found and nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import pytest

from conformance import suite
from conformance.check import Check
from conformance.judge import Judge
from conformance.settings import Settings
from conformance.transcript import Exchange
from conformance.verdict import Judgement, Verdict
from tests.conformance.recorded import FOLDER, RELEASES, release

EXPECTED = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))
CONTENT = {f"GEN-PIC-{number:02}" for number in range(7, 15)} | {"UPS-ANS-07"}
"""What the recordings' pixels would have to mean something for."""


class Recorded:
    """Evidence from a recording: whatever it holds of what a check wants."""

    def __init__(self, exchanges: Mapping[str, Exchange]) -> None:
        self._exchanges = exchanges

    def exchanges(self, check: Check) -> Mapping[str, Exchange]:
        prefixes = (*check.over, *(f"{name}/" for name in check.needs))
        return {k: v for k, v in self._exchanges.items() if k in check.needs or k.startswith(prefixes)}


def judged(name: str) -> dict[str, Judgement]:
    shipped = suite.load()
    judge = Judge(shipped.contract, shipped.checks, Recorded(release(name)), Settings("http://recorded"))
    return {r.id: judge.judge(r.id) for r in shipped.contract.requirements if not r.unjudged and r.id not in CONTENT}


@pytest.mark.parametrize("name", RELEASES)
def test_each_broken_requirement_is_found_and_nothing_else(name: str) -> None:
    judgements = judged(name)
    found = {
        str(verdict): {id for id, judgement in judgements.items() if judgement.verdict is verdict}
        for verdict in (Verdict.FAIL, Verdict.WARN, Verdict.ERROR, Verdict.BLOCKED)
    }
    expected = {verdict: set(EXPECTED[name][verdict]) for verdict in ("fail", "warn")}
    assert found == {**expected, "error": set(), "blocked": set()}


@pytest.mark.parametrize("name", RELEASES)
def test_what_is_recorded_suffices_for_much_of_the_contract(name: str) -> None:
    passed = {id for id, judgement in judged(name).items() if judgement.verdict is Verdict.PASS}
    assert {"HLT-01", "GEN-SSE-01", "GEN-SSE-07", "GEN-EVT-05", "GEN-EVT-19", "UPS-ANS-03", "ERR-02"} <= passed
    assert len(passed) >= 60
