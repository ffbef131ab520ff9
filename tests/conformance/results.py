"""Results of runs as JSON, for tests of what reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from conformance import contract
from conformance.probe import Cost
from conformance.result import Judged, Result
from conformance.settings import Settings
from conformance.verdict import Finding, Judgement, Verdict


def result(**verdicts: str) -> dict[str, Any]:
    """The JSON of a run with these verdicts by requirement id."""
    by_id = contract.load().by_id
    judged = [Judged(by_id[id], _judgement(id, Verdict(verdict))) for id, verdict in verdicts.items()]
    made = Result(
        suite_version="0.1.0",
        contract_version="1.0",
        python="3.11",
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).isoformat(),
        duration=1.0,
        settings=Settings("http://127.0.0.1:8081").public(),
        launched="",
        strict=False,
        plan=(),
        planned=Cost(),
        spent=Cost(),
        judged=tuple(judged),
        deselected=(),
        unjudged=(),
    ).to_json()
    return {**made, "outcome": "conformant", "exit_code": 0}


def _judgement(id: str, verdict: Verdict) -> Judgement:
    broken = verdict in (Verdict.FAIL, Verdict.WARN)
    return Judgement(id, verdict, "", (Finding("something", "nothing"),) if broken else ())
