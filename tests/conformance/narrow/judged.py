"""What the core profile says of a server, in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.evidence.spending import spent
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan, suite
from local_dream_conformance.run.runner import Run
from local_dream_conformance.run.suite import Suite

BROKEN = (Verdict.FAIL, Verdict.WARN)


@dataclass(frozen=True)
class Judged:
    """The ids of what is broken and blocked, what findings say was expected (by id), and what the run cost."""

    broken: tuple[str, ...]
    blocked: tuple[str, ...]
    named: dict[str, tuple[str, ...]]
    cost: Cost


@cache
def _suite() -> Suite:
    return suite.load()


def judged(url: str, only: Sequence[str] = ()) -> Judged:
    """Runs the core profile, or some of its requirements."""
    settings = Settings(url=url, upscaler_path="default", idle_timeout=20.0)
    core = [requirement.id for group in _suite().groups("core").values() for requirement in group]
    ids = [id for id in core if not only or id in only]
    with tempfile.TemporaryDirectory(prefix="narrow-") as text:
        folder = RunFolder(Path(text))
        folder.begin(url)
        planned = plan.make(_suite(), ids, settings)
        run = Run(_suite(), settings, planned, folder)
        found = [run.judge(id) for id in ids]
        cost = spent(run.transcript(scenario.name) for scenario in planned.scenarios)
    broken = [one for one in found if one.verdict in BROKEN]
    blocked = tuple(one.id for one in found if one.verdict in (Verdict.BLOCKED, Verdict.UNTESTED, Verdict.ERROR))
    named = {one.id: tuple(finding.expected for finding in one.findings) for one in broken}
    return Judged(tuple(one.id for one in broken), blocked, named, cost)
