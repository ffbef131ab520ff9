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


class TargetGone(Exception):
    """What was to be asked was not, since the target was gone."""


class NotSent(Exception):
    """A request was not sent, nor should any other of its scenario be; the message is the reason, GONE for one."""


class OverBudget(NotSent):
    """A request was not sent since there is no room for it in the budget. Others may have room."""


class ReportRefused(ValueError):
    """No such report can be made of a run; the message says why, in one line."""
