"""What a run says of one requirement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from local_dream_conformance.core.contract import Level, Requirement
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict


class RequirementResult(Struct, frozen=True):
    """A requirement with its verdict.

    `source`, `clause` and `operation` are as in the contract. `reason` says why it was not judged or is waived, or what
    is wrong with the suite; of one that holds, the evidence. `assertions` counts the expectations tried; `evidence` are
    labels of the exchanges that were looked at.
    """

    id: str
    level: Level
    profile: str
    source: Literal["seed", "interop", "hardening", "extension"]
    text: str
    group: str
    operation: str
    clause: str
    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...]
    assertions: Annotated[int, Meta(ge=0)]
    evidence: tuple[str, ...]

    @classmethod
    def of(cls, requirement: Requirement, judgement: Judgement) -> RequirementResult:
        return cls(
            id=requirement.id,
            level=requirement.level,
            profile=requirement.profile,
            source=requirement.source,  # type: ignore[arg-type]  # the contract's loader lets no other in
            text=requirement.text,
            group=requirement.group,
            operation=requirement.operation,
            clause=requirement.clause,
            verdict=judgement.verdict,
            reason=judgement.reason,
            findings=judgement.findings,
            assertions=judgement.assertions,
            evidence=judgement.evidence,
        )

    @property
    def places(self) -> list[tuple[str, list[Finding]]]:
        """What is broken by the exchange in which it is: (label, findings), the label "" for what is in none."""
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(finding.exchange, []).append(finding)
        return list(found.items())


def having(
    results: Iterable[RequirementResult], *verdicts: Verdict, level: str | None = None
) -> list[RequirementResult]:
    """The requirements with one of the verdicts, at one level where it is given; in the order of `results`."""
    return [one for one in results if one.verdict in verdicts and level in (None, one.level)]
