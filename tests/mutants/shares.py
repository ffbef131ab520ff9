"""What share of mutants the suite told, and named rightly: of those made by hand and of those that a tool made."""

from __future__ import annotations

from collections.abc import Sequence

from tests.mutants.mutant import DEAD, GAP, LEGAL, SAME, Mutant
from tests.mutants.trial import Outcome

Outcomes = Sequence[tuple[Mutant, Outcome]]
TOLD = (Outcome.CAUGHT, Outcome.MISNAMED)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.0%})" if whole else "none"


def written(outcomes: Outcomes) -> str:
    """What a tool made and nobody had to read is of these: what told of it is right."""
    found = [outcome for one, outcome in outcomes if one.breaks not in (GAP, LEGAL, SAME, DEAD)]
    return _share(sum(outcome in TOLD for outcome in found), len(found))


def named(outcomes: Outcomes) -> str:
    told = [outcome for one, outcome in outcomes if one.breaks not in (GAP, LEGAL, SAME, DEAD) and outcome in TOLD]
    return _share(told.count(Outcome.CAUGHT), len(told))


def told(outcomes: Outcomes) -> str:
    wrong = [outcome for one, outcome in outcomes if one.breaks not in (LEGAL, SAME, DEAD)]
    return _share(sum(outcome in TOLD for outcome in wrong), len(wrong))


def left_alone(outcomes: Outcomes) -> str:
    allowed = [outcome for one, outcome in outcomes if one.breaks in (LEGAL, SAME)]
    return _share(len(allowed) - allowed.count(Outcome.FALSE_ALARM), len(allowed))


SHARES = {
    "told, of those that break a written requirement": written,
    "told, of all that are wrong": told,
    "of what was told, with a requirement that was expected": named,
    "legal, and left alone": left_alone,
}
