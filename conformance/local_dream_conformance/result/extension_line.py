"""What a run says of each extension: whether the target has it, what shows that, and whether it was declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_dream_conformance.core.contract import Level, of_profile
from local_dream_conformance.core.verdict import Verdict

if TYPE_CHECKING:
    from local_dream_conformance.result.judged import Judged


@dataclass(frozen=True)
class ExtensionLine:
    """One extension. `state` is "supported", "absent", or "unknown" (not asked for, or no answer that would show it).

    `declared` says that the run was told to expect it; `evidence` is one line; `id` is the requirement that asks.
    """

    name: str
    state: str
    declared: bool
    evidence: str
    id: str


def lines(judged: Sequence[Judged], declared: Iterable[str]) -> tuple[ExtensionLine, ...]:
    """The extensions that a run judged, in order of the contract: the first MAY of each asks whether it is there."""
    found: dict[str, ExtensionLine] = {}
    expected = {text.partition("=")[0] for text in declared}
    for one in judged:
        name = of_profile(one.requirement.profile)
        if name and name not in found and one.requirement.level is Level.MAY:
            found[name] = ExtensionLine(name, _state(one), name in expected, _evidence(one), one.requirement.id)
    return tuple(found.values())


def _state(one: Judged) -> str:
    judgement = one.judgement
    if judgement.verdict is Verdict.PASS:
        return "supported"
    # A requirement of which no exchange was looked at was not asked for: the settings leave its scenario out.
    shown = bool(judgement.evidence) and judgement.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAIL, Verdict.WAIVED)
    return "absent" if shown else "unknown"


def _evidence(one: Judged) -> str:
    judgement = one.judgement
    return judgement.reason or (judgement.findings[0].got if judgement.findings else "")
