"""The exceptions that several wings raise and catch."""

from __future__ import annotations


class BadSetting(ValueError):
    """A setting has a value that cannot be used; the message names the setting, where it came from, and the fix."""


class NotApplicable(Exception):
    """The target does not have what the requirement speaks about; the message is the evidence."""


class MissingEvidence(Exception):
    """The evidence holds no such exchange (over budget, deselected, or a recording without it).

    `ours`: it is missing because of the settings of the run, and not because of what the target answered.
    """

    def __init__(self, what: str, *, ours: bool = False) -> None:
        super().__init__(what)
        self.ours = ours


class NotSent(Exception):
    """A request was not sent, and no other that its scenario would send after it; the message is the reason."""


class ReportRefused(ValueError):
    """No such report can be made of a run; the message says why, in one line."""
