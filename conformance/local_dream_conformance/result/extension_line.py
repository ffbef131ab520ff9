"""What a run says of each extension: whether the target has it, what shows that, and whether it was declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from local_dream_conformance.core.contract import Level, of_profile
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.result.requirement_result import RequirementResult


class ExtensionLine(Struct, frozen=True):
    """One extension. `state` is "supported", "absent", or "unknown" (not asked for, or no answer that would show it).

    `declared` says that the run was told to expect it; `evidence` is one line; `id` is the requirement that asks.
    """

    name: str
    state: Literal["supported", "absent", "unknown"]
    declared: bool
    evidence: str
    id: str


def lines(judged: Sequence[RequirementResult], declared: Iterable[str]) -> tuple[ExtensionLine, ...]:
    """The extensions that a run judged, in order of the contract: the first MAY of each asks whether it is there."""
    found: dict[str, ExtensionLine] = {}
    expected = {text.partition("=")[0] for text in declared}
    for one in judged:
        name = of_profile(one.profile)
        if name and name not in found and one.level is Level.MAY:
            found[name] = ExtensionLine(name, _state(one), name in expected, _evidence(one), one.id)
    return tuple(found.values())


def _state(one: RequirementResult) -> Literal["supported", "absent", "unknown"]:
    if one.verdict is Verdict.PASS:
        return "supported"
    # A requirement of which no exchange was looked at was not asked for: the settings leave its scenario out.
    shown = bool(one.evidence) and one.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAIL, Verdict.WAIVED)
    return "absent" if shown else "unknown"


def _evidence(one: RequirementResult) -> str:
    return one.reason or (one.findings[0].got if one.findings else "")
