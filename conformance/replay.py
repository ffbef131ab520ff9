"""Replay: a run whose transcripts come from a recording, so that it is judged without a network.

The recording is copied into the folder of the run, where the run finds every probe made. What the recording does not
have is untested, never asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance import archive, options, plan, recording, run
from conformance.plan import Plan
from conformance.probe import Cost, Probe
from conformance.recording import BadRecording, Recording
from conformance.settings import BadSetting, Budget, Settings
from conformance.suite import Suite
from conformance.target import Target
from conformance.transcript import Exchange

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
    anew = options.resolve(kept.settings.url, given, {}, {}, "")
    changes = {option.field: getattr(anew, option.field) for option in options.OPTIONS if option.name in given}
    return replace(kept.settings, **changes)


def make_plan(suite: Suite, ids: Sequence[str], chosen: Settings, kept: Recording) -> Plan:
    """What of the plan for the requirements `ids` the recording has. Its cost is what the recorded run planned."""
    wanted = plan.make(suite, ids, replace(chosen, budget=Budget()))
    probes: list[Probe] = []
    unavailable: dict[str, str] = {}
    over_budget: dict[str, str] = {}
    not_recorded: dict[str, str] = {}
    for name in (*(probe.name for probe in wanted.probes), *wanted.unavailable):
        probe = kept.kept(name)
        if probe is None:
            not_recorded[name] = f"the recording has no probe {name}"
        elif probe.state == "unavailable":
            unavailable[name] = probe.reason
        elif probe.state == "over-budget":
            over_budget[name] = probe.reason
        elif probe.state == "planned":
            not_recorded[name] = f"the recorded run ended before the probe {name}"
        else:
            probes.append(_recorded(name, suite.probes[name].priced(chosen).cost))
    # A probe that this version does not know may have exchanges that a check over all answers looks at.
    probes += [_recorded(p.name, Cost()) for p in kept.probes if p.name not in suite.probes and p.state == "made"]
    return Plan(tuple(probes), unavailable, over_budget, not_recorded, kept.partial)


def begin(folder: Path, source: Path, kept: Recording, chosen: Settings) -> None:
    """Puts the recording into the folder of a run. Raises BadRecording."""
    for transcript in recording.transcripts(source, kept):
        archive.save(folder, transcript)
    for probe in kept.probes:
        if probe.state == "failed":
            (folder / f"{probe.name}.failed").write_text(probe.reason, encoding="utf-8")
    run.begin(folder, chosen.url)


def _recorded(name: str, cost: Cost) -> Probe:
    def never(target: Target) -> Iterable[Exchange]:
        raise RuntimeError(f"the probe {name} is in the recording, and yet it was to be made")

    return Probe(name, cost, never)
