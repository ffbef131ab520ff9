"""Verdicts and findings: what the suite says of one requirement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ENDED = "the run ended before it was judged"
"""The reason of what is untested because the run was stopped."""


class Verdict(StrEnum):
    """The nine things that can be said of a requirement."""

    PASS = "pass"
    FAIL = "fail"
    """A MUST is broken."""
    WARN = "warn"
    """A SHOULD is broken; fails with --strict."""
    NOT_APPLICABLE = "not-applicable"
    """The target does not have what the requirement speaks about; the reason is the evidence."""
    BLOCKED = "blocked"
    """A prerequisite failed; the reason names its id."""
    UNTESTED = "untested"
    """Not judged: over budget, deselected, or the recording lacks the evidence."""
    WAIVED = "waived"
    """Broken, and known: a waiver covers it."""
    STALE = "stale"
    """A waiver covers it, but it is not broken, or the waiver has expired; fails."""
    ERROR = "error"
    """The suite's own fault (a check raised, or asserted nothing)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken expectation.

    `exchange` is the label of the exchange it was seen in; `at` says where in it (event number, byte offset, second);
    `cause` is the likely cause in one sentence, with a question mark where it is guessed.
    """

    expected: str
    got: str
    exchange: str = ""
    at: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one requirement, with its reason or its findings. `assertions` counts the expectations tried.

    `blocked_by` are the ids of the requirements because of which it could not be judged: broken ones, or such that were
    not judged themselves. `unusable`: there were answers, and nothing in them could be judged. `excused`: all that is
    in the way is waived.
    """

    id: str
    verdict: Verdict
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    assertions: int = 0
    evidence: tuple[str, ...] = ()
    """Labels of the exchanges that the check looked at."""
    blocked_by: tuple[str, ...] = ()
    unusable: bool = False
    excused: bool = False
