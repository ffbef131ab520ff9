"""One trial: the whole suite against one server, over HTTP."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.contract import of_profile
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.http.preflight import Unreachable, reach
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan
from local_dream_conformance.run.evaluator import Evaluator
from local_dream_conformance.run.runner import Run
from local_dream_conformance.run.suite import Suite
from local_dream_mockserver.faults.catalogue import Fault, Quirk
from local_dream_mockserver.faults.emulated.release import EmulatedRelease
from local_dream_mockserver.server.extensions.catalogue import NAMES
from tests.matrix import muted
from tests.matrix.expectations import expected_of
from tests.matrix.standing import Subject, controlled

PROFILE = "all"
"""What the matrix covers: what every server must do, what careful ones should, and all extensions."""
BASE = "hardened"
"""What is judged where no extension is at stake."""
GIVEN: Mapping[str, str | bool | tuple[str, ...]] = {
    "upscaler-path": "default",
    "idle-timeout": "3",
    "total-timeout": "30",
    "destructive": True,
}
"""Settings of every trial; expectations.toml adds those of an entry."""
BROKEN = (Verdict.FAIL, Verdict.WARN)
HONEST = "honest"
SCHEDULERS = "schedulers=euler,lcm,eulera"
"""How that extension is declared."""


@dataclass(frozen=True)
class Trial:
    """What the suite said of a server: a judgement for each requirement. `applied` is how often the fault was served.

    `proven` holds, for each of the checks (by `muted.name`) of the requirements that the fault breaks, whether that
    check alone finds it broken: then the fault proves that it can fail.
    `problem` is set where the suite did not begin, as it does not with a server that is not there.
    """

    name: str
    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    applied: int = 0
    seconds: float = 0.0
    proven: Mapping[str, bool] = field(default_factory=dict)
    problem: str = ""

    def broken(self, id: str) -> bool:
        return id in self.judgements and self.judgements[id].verdict in BROKEN


def settings_of(entry: Subject | None) -> dict[str, str | tuple[str, ...]]:
    """Profile and declared extensions, as somebody gives them who knows what the server is meant to have. Of a
    personality nobody knows."""
    if isinstance(entry, EmulatedRelease):
        # ultrafix alone is asked for only where it is declared
        return {"profile": PROFILE} | (
            {"extension": ("ultrafix",)} if "EXT-UFX-07" in (*entry.breaks, *entry.discouraged) else {}
        )
    declared = tuple(SCHEDULERS if name == "schedulers" else name for name in (entry.extensions if entry else NAMES))
    return {"profile": PROFILE, "extension": declared} if declared else {"profile": BASE}


def _judged(suite: Suite, settings: Settings, entry: Subject | None) -> list[str]:
    """The ids that a trial judges: all of its profile. Where an extension is at stake, all of every extension, and what
    of the core can be judged by the requests that these take: the others are those of all other trials, to which an
    extension makes no difference, and would make each of its trials twice as long.
    """
    ids = [requirement.id for group in suite.groups(settings.profile).values() for requirement in group]
    if settings.profile == BASE or not isinstance(entry, Fault | Quirk):
        return ids
    of_extensions = [id for id in ids if of_profile(suite.contract.by_id[id].profile)]
    asked = _probes(suite, settings, of_extensions)
    return [id for id in ids if _probes(suite, settings, [id]) <= asked]


def _probes(suite: Suite, settings: Settings, ids: Sequence[str]) -> set[str]:
    return {scenario.name for scenario in plan.make(suite, ids, settings).scenarios}


def attempt(suite: Suite, entry: Subject | None) -> Trial:
    """Stands a server up and judges it."""
    began = time.monotonic()
    name = entry.name if entry else HONEST
    with controlled(entry) as (url, applied, control), tempfile.TemporaryDirectory(prefix="matrix-") as text:
        folder = RunFolder(Path(text))
        given = {**GIVEN, **settings_of(entry), **(expected_of(entry.name).options if entry else {})}
        if control is not None:
            given["control-url"] = control
        chosen = settings_sources.resolve(url, given, {}, {}, "")
        ids = _judged(suite, chosen, entry)
        planned = plan.make(suite, ids, chosen)
        try:
            reach(chosen)
        except Unreachable as problem:
            return Trial(name, applied=applied(), seconds=time.monotonic() - began, problem=str(problem))
        folder.begin(url)
        judging = Run(suite, chosen, planned, folder)
        judgements = {id: judging.judge(id) for id in ids}
        served = applied()
        proven = {}
        if isinstance(entry, Fault):
            broken = {id for id in entry.breaks if judgements[id].verdict in BROKEN}
            for check in muted.checks(suite, broken):
                again = Evaluator(suite.contract, muted.alone(suite, check).checks, judging, judging.settings)
                proven[muted.name(check)] = again.judge(check.id).verdict in BROKEN
    return Trial(name, judgements, served, time.monotonic() - began, proven)
