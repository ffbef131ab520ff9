"""The exceptions that several wings raise and catch."""

from __future__ import annotations


class BadSetting(ValueError):
    """A setting has a value that cannot be used; the message names the setting, where it came from, and the fix."""


class NotApplicable(Exception):
    """The target does not have what the requirement speaks about; the message is the evidence."""


class MissingEvidence(Exception):
    """The evidence holds no such exchange (over budget, deselected, or a recording without it)."""


class TargetGone(Exception):
    """What was to be asked was not, since the target was gone."""


class NotSent(Exception):
    """A request was not sent. `reason` is GONE, or says in words what the budget does not allow."""

    def __init__(self, label: str, reason: str) -> None:
        super().__init__(f"{label}: {reason}")
        self.label = label
        self.reason = reason


class ReportRefused(ValueError):
    """No such report can be made of a run; the message says why, in one line."""
