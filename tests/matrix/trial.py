"""One trial: the whole suite against one server, over HTTP."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conformance import options, plan, run
from conformance.judge import Judge
from conformance.preflight import Unreachable, reach
from conformance.run import Run
from conformance.suite import Suite
from conformance.verdict import Judgement, Verdict
from mockserver.faults.catalogue import Fault
from tests.matrix import muted
from tests.matrix.standing import Subject, standing

PROFILE = "hardened"
"""What the matrix covers: what every server must do, and careful ones should."""
GIVEN: Mapping[str, str | bool | tuple[str, ...]] = {
    "profile": PROFILE,
    "upscaler-path": "default",
    "idle-timeout": "3",
    "total-timeout": "30",
    "destructive": True,
}
"""Settings of every trial; an entry of the catalogue may add its own."""
BROKEN = (Verdict.FAIL, Verdict.WARN)
HONEST = "honest"


@dataclass(frozen=True)
class Trial:
    """What the suite said of a server: a judgement for each requirement. `applied` is how often the fault was served.

    `survived` holds, for each of the checks (by `muted.name`) of the requirements that the fault breaks, whether the
    requirement was still found broken when that check could not fail: then the fault does not prove the check.
    `problem` is set where the suite did not begin, as it does not with a server that is not there.
    """

    name: str
    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    applied: int = 0
    seconds: float = 0.0
    survived: Mapping[str, bool] = field(default_factory=dict)
    problem: str = ""

    def broken(self, id: str) -> bool:
        return id in self.judgements and self.judgements[id].verdict in BROKEN


def attempt(suite: Suite, entry: Subject | None) -> Trial:
    """Stands a server up and judges it."""
    began = time.monotonic()
    name = entry.name if entry else HONEST
    with standing(entry) as (url, applied), tempfile.TemporaryDirectory(prefix="matrix-") as text:
        folder = Path(text)
        given = {**GIVEN, **(entry.options if entry else {})}
        chosen = options.resolve(url, given, {}, {}, "")
        ids = [requirement.id for group in suite.groups(chosen.profile).values() for requirement in group]
        planned = plan.make(suite, ids, chosen)
        try:
            reach(chosen)
        except Unreachable as problem:
            return Trial(name, applied=applied(), seconds=time.monotonic() - began, problem=str(problem))
        run.begin(folder, url)
        judging = Run(suite, chosen, planned, folder)
        judgements = {id: judging.judge(id) for id in ids}
        served = applied()
        survived = {}
        if isinstance(entry, Fault):
            broken = {id for id in entry.breaks if judgements[id].verdict in BROKEN}
            for check in muted.checks(suite, broken):
                again = Judge(suite.contract, muted.mute(suite, check).checks, judging, judging.settings)
                survived[muted.name(check)] = again.judge(check.id).verdict in BROKEN
    return Trial(name, judgements, served, time.monotonic() - began, survived)
