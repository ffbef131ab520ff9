"""Results of runs as JSON, for tests of what reads them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from local_dream_conformance.core import contract
from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict
from local_dream_conformance.result import schema
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.result import make


def result_of(path: Path) -> dict[str, Any]:
    """The result in a file, which has all that the published schema says, and nothing else."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    published = json.loads(schema.text())
    for part in (published, *published["$defs"].values(), *published["properties"].values()):
        if "properties" in part:
            part["additionalProperties"] = False
    problems = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(published).iter_errors(value)]
    assert problems == []
    return value


def result(**verdicts: str) -> dict[str, Any]:
    """The JSON of a run with these verdicts by requirement id."""
    by_id = contract.load().by_id
    judged = [RequirementResult.of(by_id[id], _judgement(id, Verdict(verdict))) for id, verdict in verdicts.items()]
    made = make(
        suite_version="0.1.0",
        contract_version="1.0",
        python="3.11",
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).isoformat(),
        duration=1.0,
        settings=Settings("http://127.0.0.1:8081").public(),
        launched="",
        scenarios=(),
        planned=Cost(),
        spent=Cost(),
        requirements=tuple(judged),
        deselected=(),
        unjudged=(),
    ).to_json()
    return {**made, "outcome": "conformant", "exit_code": 0}


def _judgement(id: str, verdict: Verdict) -> Judgement:
    broken = verdict in (Verdict.FAIL, Verdict.WARN)
    return Judgement(id, verdict, "", (Finding("something", "nothing"),) if broken else ())
