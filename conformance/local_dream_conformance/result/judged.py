"""A requirement with its judgement."""

from __future__ import annotations

from dataclasses import dataclass

from local_dream_conformance.core.contract import Requirement
from local_dream_conformance.core.verdict import Judgement


@dataclass(frozen=True)
class Judged:
    """A requirement with its judgement. `text` is the failure text, "" where nothing is wrong."""

    requirement: Requirement
    judgement: Judgement
    text: str = ""
