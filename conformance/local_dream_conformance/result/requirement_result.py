"""What a run says of one requirement."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from local_dream_conformance.core.contract import Level, Requirement
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict

EXCUSED = "excused"
"""How reports call what could not be judged because of requirements that are waived."""
THROUGH = re.compile(r"^(?:[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-[0-9]{2,3}: )+")


class RequirementResult(Struct, frozen=True, omit_defaults=True):
    """A requirement with its verdict.

    `source`, `clause` (with its `translation`) and `operation` are as in the contract. `reason` says why it was not
    judged or is waived, or what is wrong with the suite; of one that holds, the evidence. `assertions` counts the
    expectations tried; `evidence` are labels of the exchanges that were looked at. `blocked_by` are the requirements in
    the way of one that is blocked or untested; where these are waived it is `excused`, and does not count as open.
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
    blocked_by: tuple[str, ...] = ()
    excused: bool = False
    translation: str = ""

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
            blocked_by=judgement.blocked_by,
            excused=judgement.excused,
            translation=requirement.translation,
        )

    @property
    def quoted(self) -> str:
        """Its clause as people are shown it, with the translation beside; "" where it has none."""
        return quoted(self.clause, self.translation)

    @property
    def standing(self) -> str:
        """Its verdict, or EXCUSED."""
        return EXCUSED if self.excused else str(self.verdict)

    @property
    def root(self) -> str:
        """Its reason without the ids of the requirements through which it came."""
        return THROUGH.sub("", self.reason)

    @property
    def places(self) -> list[tuple[str, list[Finding]]]:
        """What is broken by the exchange in which it is: (label, findings), the label "" for what is in none."""
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(finding.exchange, []).append(finding)
        return list(found.items())


def quoted(clause: str, translation: str) -> str:
    """A clause as people are shown it, with its translation beside; "" where there is none."""
    beside = f' (in English: "{translation}")' if translation else ""
    return f'"{clause}"{beside}' if clause else ""


def having(results: Iterable[RequirementResult], *standings: str, level: str | None = None) -> list[RequirementResult]:
    """The requirements with one of the standings (verdicts, or EXCUSED), at one level where it is given; in the order
    of `results`."""
    return [one for one in results if one.standing in standings and level in (None, one.level)]
