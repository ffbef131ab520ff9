"""The sum of a run: its result, from the judgements and from what the run's folder holds."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from local_dream_conformance.core.contract import Requirement
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import ENDED, Judgement, Verdict
from local_dream_conformance.evidence.spending import spent
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.report import curl
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.result import ExchangeLine, Replayed, Result, ScenarioLine, ScenarioState, make
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.run.setup import Setup
from local_dream_conformance.run.suite import Suite


@dataclass(frozen=True)
class Began:
    """When a run began: on the calendar, and on this process's own clock."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)


def result(
    setup: Setup,
    settings: Settings,
    plan: Plan | None,
    ids: Sequence[str],
    judged: Mapping[str, Judgement],
    folder: RunFolder,
    began: Began,
    problem: str,
    selection: str,
    asked: Mapping[str, Exchange],
) -> Result:
    """The result of a run that judged the requirements `ids`.

    `settings` have the URL at which the target was in the end. `plan` is None where an xdist controller could not
    reach the target; `judged` holds what the reports carried; `problem` is why the run could not begin. `selection`
    is what the command line left out (see `selection.Selection`). `asked` are the exchanges as curl lines show them.
    """
    contract = setup.suite.contract
    transcripts = folder.transcripts()
    selected = [requirement for requirement in contract.requirements if requirement.id in ids]
    profile = contract.in_profile(settings.profile, settings.declared)
    lines = [RequirementResult.of(r, judged.get(r.id) or _never_judged(r)) for r in selected]
    chosen = plan or Plan(())
    return make(
        suite_version=version("local-dream-conformance"),
        contract_version=contract.version,
        python=platform.python_version(),
        started=began.at.isoformat(timespec="seconds"),
        duration=time.monotonic() - began.clock,
        settings=settings.public(),
        launched=setup.launched,
        scenarios=tuple(_scenario_lines(chosen, setup.suite, folder)),
        planned=chosen.cost,
        spent=spent(transcripts),
        requirements=lines,
        deselected=tuple(r for r in profile if plan and not r.unjudged and r.id not in ids),
        unjudged=tuple(r for r in profile if r.unjudged),
        exchanges=tuple(ExchangeLine.of(t.scenario, exchange) for t in transcripts for exchange in t.exchanges),
        curls=curl.lines(lines, asked, settings, folder.bodies),
        problem=problem,
        selection=selection,
        waivers=tuple(setup.waivers[r.id] for r in selected if r.id in setup.waivers),
        replayed=None if setup.recording is None else Replayed.of(setup.recording),
    )


def _never_judged(requirement: Requirement) -> Judgement:
    return Judgement(requirement.id, Verdict.UNTESTED, ENDED)


def _scenario_lines(plan: Plan, suite: Suite, folder: RunFolder) -> Iterator[ScenarioLine]:
    """Every scenario of the plan and what became of it."""
    for scenario in plan.scenarios:
        made, failed = folder.transcript(scenario.name), folder.failure(scenario.name)
        begun = made is not None and bool(made.exchanges)
        state: ScenarioState = "made" if begun else "failed" if failed else "planned"
        yield ScenarioLine(scenario.name, scenario.cost, state, made.left_out[0][1] if made and made.left_out else "")
    left_out: dict[ScenarioState, Mapping[str, str]] = {
        "unavailable": plan.unavailable,
        "over-budget": plan.over_budget,
        "not-recorded": plan.not_recorded,
    }
    for state, reasons in left_out.items():
        for name, reason in reasons.items():
            yield ScenarioLine(name, suite.scenarios[name].cost, state, reason)
