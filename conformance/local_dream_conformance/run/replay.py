"""Replay: a run whose transcripts come from a recording, so that it is judged without a network.

The recording is copied into the folder of the run, where the run finds every scenario made. What the recording does not
have is untested, never asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.budget import Budget, Cost
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.settings import OPTION_OF, Settings
from local_dream_conformance.http.target import Target
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.recording import BadRecording, Recording
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.run.suite import Suite
from local_dream_conformance.scenarios.scenario import Scenario

OWN = ("profile", "strict", "waivers", "known", "extension")
"""The settings that a replay has of its own; the others are those of the recorded run."""


def load(folder: Path) -> Recording:
    """The recording to replay. Raises BadSetting."""
    try:
        return recording.read(folder)
    except BadRecording as error:
        raise BadSetting(f"--replay: {error}") from None


def settings(kept: Recording, given: Mapping[str, Any]) -> Settings:
    """The recorded settings with what the command line gives anew. Raises BadSetting."""
    for name in given:
        if name not in OWN:
            raise BadSetting(
                f"--{name}: the recording has it already; with --replay only {', '.join(f'--{own}' for own in OWN)} "
                "can be given"
            )
    anew = settings_sources.resolve(kept.settings.url, given, {}, {}, "")
    changes = {field: getattr(anew, field) for field, option in OPTION_OF.items() if option.name in given}
    return replace(kept.settings, **changes)


def make_plan(suite: Suite, ids: Sequence[str], chosen: Settings, kept: Recording) -> Plan:
    """What of the plan for the requirements `ids` the recording has. Its cost is what the recorded run planned."""
    wanted = plan.make(suite, ids, replace(chosen, budget=Budget()))
    scenarios: list[Scenario] = []
    unavailable: dict[str, str] = {}
    over_budget: dict[str, str] = {}
    not_recorded: dict[str, str] = {}
    unfinished: list[str] = []
    for name in (*(scenario.name for scenario in wanted.scenarios), *wanted.unavailable):
        scenario = kept.kept(name)
        if scenario is None:
            not_recorded[name] = f"the recording has no scenario {name}"
        elif scenario.state == "unavailable":
            unavailable[name] = scenario.reason
        elif scenario.state == "over-budget":
            over_budget[name] = scenario.reason
        elif scenario.state == "planned":
            not_recorded[name] = scenario.reason or f"the recorded run ended before the scenario {name}"
            unfinished.append(name)
        else:
            scenarios.append(_recorded(name, suite.scenarios[name].priced(chosen).cost))
    # A scenario that this version does not know may have exchanges that a check over all answers looks at.
    scenarios += [
        _recorded(p.name, Cost()) for p in kept.scenarios if p.name not in suite.scenarios and p.state == "made"
    ]
    return Plan(tuple(scenarios), unavailable, over_budget, not_recorded, kept.partial, tuple(unfinished))


def begin(folder: RunFolder, source: Path, kept: Recording, chosen: Settings) -> None:
    """Puts the recording into the folder of a run. Raises BadRecording."""
    for transcript in recording.transcripts(source, kept):
        folder.keep(transcript)
    for scenario in kept.scenarios:
        if scenario.state == "failed":
            folder.fail(scenario.name, scenario.reason)
    folder.begin(chosen.url)


def _recorded(name: str, cost: Cost) -> Scenario:
    def never(target: Target) -> Iterable[Exchange]:
        raise RuntimeError(f"the scenario {name} is in the recording, and yet it was to be made")

    return Scenario(name, cost, never)
