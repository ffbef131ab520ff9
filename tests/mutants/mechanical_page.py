"""docs/mutants-mechanical.md."""

from __future__ import annotations

from collections.abc import Mapping

from tests.mutants.mutant import Mutant
from tests.mutants.trial import Trial


def markdown(mutants: Mapping[str, Mutant], trials: Mapping[str, Trial]) -> str:
    return f"{len(trials)} of {len(mutants)}\n"
