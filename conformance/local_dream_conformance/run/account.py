"""How pytest shows what was judged: a word and a letter for each verdict, and our account of what is broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pytest

from local_dream_conformance.core.verdict import Judgement, Verdict

Status: TypeAlias = tuple[str, str, tuple[str, dict[str, bool]]]
"""Its category, its letter, and its word with the colours: what `pytest_report_teststatus` gives."""
STATUSES: dict[Verdict, Status] = {
    Verdict.WARN: ("warned", "W", ("WARN", {"yellow": True})),
    Verdict.ERROR: ("error", "E", ("ERROR", {"red": True})),
    Verdict.BLOCKED: ("blocked", "b", ("BLOCKED", {"yellow": True})),
    Verdict.UNTESTED: ("untested", "u", ("UNTESTED", {"yellow": True})),
    Verdict.NOT_APPLICABLE: ("not-applicable", "-", ("NOT-APPLICABLE", {})),
    Verdict.WAIVED: ("waived", "w", ("WAIVED", {"yellow": True})),
}
EXCUSED: Status = ("excused", "x", ("EXCUSED", {"yellow": True}))
"""What could not be judged because of requirements that are waived."""
FAILING = (Verdict.FAIL, Verdict.STALE, Verdict.ERROR)
SHORT_SUMMARY = "fE"
"""What pytest's -r is where nobody gave it: a line for each failure."""


def take(config: pytest.Config) -> None:
    """Puts our account of what is broken in place of pytest's, unless that is asked for."""
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "no"
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if config.option.reportchars == SHORT_SUMMARY and reporter is not None:
        reporter.reportchars = ""


def fails(judgement: Judgement, *, strict: bool) -> bool:
    """Whether the item of a requirement fails; with `strict` a broken SHOULD fails it, too."""
    return judgement.verdict in FAILING or (judgement.verdict is Verdict.WARN and strict)


def status(judgement: Mapping[str, Any], *, failed: bool) -> Status | None:
    """How an item is shown whose report carries this judgement, as JSON; None for as pytest shows it."""
    if judgement["excused"]:
        return EXCUSED
    verdict = Verdict(judgement["verdict"])
    return None if verdict is Verdict.WARN and failed else STATUSES.get(verdict)
