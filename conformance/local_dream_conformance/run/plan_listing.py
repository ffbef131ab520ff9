"""A plan in words: one line before every run, and what `--plan` writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from local_dream_conformance.core.budget import counted, describe
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.run import worst_case
from local_dream_conformance.run.plan import Plan

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


def summary(ids: Sequence[str], plan: Plan, settings: Settings, *, asks: bool) -> str:
    """What is judged and what it costs, in one line; where nothing is asked, all was recorded before."""
    cost = f"costing the target {describe(plan.cost)}" if asks else "all recorded: nothing is asked of the target"
    if asks and settings.max_duration is not None:
        cost += f", no request after {settings.max_duration:g} s"
    return f"plan: {counted(len(ids), 'requirement')}, {counted(len(plan.scenarios), 'scenario')}, {cost}"


def write(reporter: TerminalReporter, plan: Plan, settings: Settings) -> None:
    """Each scenario with its cost, and what is left out with the reason."""
    for scenario in plan.scenarios:
        reporter.write_line(f"  {scenario.name:<18} {describe(scenario.cost)}")
    for name, reason in {**plan.unavailable, **plan.over_budget, **plan.not_recorded}.items():
        reporter.write_line(f"  {name:<18} not made: {reason}")
    reporter.write_line(f"  {'total':<18} {describe(plan.cost)}", bold=True)
    most = describe(worst_case.worst(plan, settings))
    reporter.write_line(f"  {'at most':<18} {most}, where the target accepts what it should refuse", bold=True)
