"""Which findings are one."""

from __future__ import annotations

import pytest

from local_dream_conformance.core import contract
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict
from local_dream_conformance.result import cause
from local_dream_conformance.result.requirement_result import RequirementResult


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("status 400 for steps string", "status 400"),
        ("status 400 or 413 for a long body", "status 400 or 413"),
        ("status 400, since prompt is not a string", "status 400"),
        ('status 422 (application/json): {"detail": 5}', "status 422 (application/json)"),
        ("status 500 (no media type) without a body", "status 500 (no media type)"),
        ("a stream that ends with error 'out of memory'", "a stream that ends with error"),
        ("a stream, with status 200 (we stopped reading after its first event)", "a stream, with status 200"),
        ("64x64 pixels instead of 65x64", "NxN pixels instead of NxN"),
        ("another picture than base, which has another prompt", "another picture than base, which has another prompt"),
        ('no object under "error": {"a": 1}', "no object under ..."),
        ("an answer that ends, for steps: -1", "an answer that ends"),
        ("an error status for a body that is not valid UTF-8", "an error status"),
    ],
)
def test_what_belongs_to_one_request_does_not_count(text: str, shape: str) -> None:
    assert cause.shape(text) == shape
    assert cause.shape(shape) == shape  # what is common to several has the key of each


def broken(id: str, *findings: Finding, verdict: Verdict = Verdict.FAIL) -> RequirementResult:
    return RequirementResult.of(contract.load().by_id[id], Judgement(id, verdict, "", findings))


def refused(field: str, status: int = 422, why: str = "") -> Finding:
    return Finding(f"status 400 for {field}", f'status {status} (text/x): {{"{field}"}}', f"refuse/{field}", "", why)


def test_one_cause_over_requirements() -> None:
    found = cause.causes(
        [
            broken("GEN-REQ-01", refused("prompt", 500, "a crash?")),
            broken("GEN-TYP-01", refused("a"), refused("b")),
            broken("GEN-TYP-02", refused("c")),
            broken("GEN-RNG-02", refused("d"), verdict=Verdict.WARN),
            broken("GEN-TYP-03", refused("e"), verdict=Verdict.WAIVED),
        ]
    )
    assert [(one.expected, one.got, one.cause, one.ids, one.requests, one.findings) for one in found] == [
        (
            "status 400",
            "status 422 (text/x)",
            "",
            ("GEN-TYP-01", "GEN-TYP-02", "GEN-RNG-02"),
            ("refuse/a", "refuse/b", "refuse/c", "refuse/d"),
            4,
        ),
        (
            "status 400 for prompt",
            'status 500 (text/x): {"prompt"}',
            "a crash?",
            ("GEN-REQ-01",),
            ("refuse/prompt",),
            1,
        ),
    ]


def test_runs_of_ids_are_shortened() -> None:
    assert cause.listed(["A-01", "A-02", "A-03", "A-05", "B-06", "B-07"]) == "A-01 to -03, A-05, B-06, B-07"
