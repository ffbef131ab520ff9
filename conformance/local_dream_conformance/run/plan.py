"""The plan: which scenarios a run makes, in which order, and what they cost the target. Known before the first call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from local_dream_conformance.core.budget import Cost, describe
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.run.suite import Suite
from local_dream_conformance.scenarios.scenario import Scenario


@dataclass(frozen=True)
class Plan:
    """`scenarios` run in this order; the others do not, for the reasons given.

    `unavailable`: the settings say that the target does not have what the scenario asks for. `over_budget`: it would
    have cost more than `--budget` allows. `not_recorded`: this is a replay, and the recording does not have it; where
    it is `partial`, checks judge what there is of the scenarios that they need. `unfinished` are those that the
    recorded run had still to make when it ended.
    """

    scenarios: tuple[Scenario, ...]
    unavailable: Mapping[str, str] = field(default_factory=dict)
    over_budget: Mapping[str, str] = field(default_factory=dict)
    not_recorded: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False
    unfinished: tuple[str, ...] = ()

    @property
    def cost(self) -> Cost:
        """The cost of all scenarios that run."""
        return sum((scenario.cost for scenario in self.scenarios), Cost())

    def __contains__(self, name: str) -> bool:
        return any(scenario.name == name for scenario in self.scenarios)


def make(suite: Suite, ids: Sequence[str], settings: Settings) -> Plan:
    """The plan that judges the requirements `ids`: the scenarios of their checks, of what these require, and of what
    must have run before (where that is available). Scenarios that would go over the budget are left out, the later
    first.
    """
    wanted: set[str] = set()
    waiting = [name for check in suite.checks_for(ids) for name in (*check.needs, *check.also)]
    while waiting:
        name = waiting.pop()
        if name not in wanted and name in suite.scenarios:
            wanted.add(name)
            waiting.extend(suite.scenarios[name].after)

    chosen: list[Scenario] = []
    unavailable: dict[str, str] = {}
    over_budget: dict[str, str] = {}
    total = Cost()
    for listed in _ordered(suite.scenarios):
        if listed.name not in wanted:
            continue
        scenario = listed.priced(settings)
        reason = scenario.available(settings)
        lacking = [name for name in scenario.after if name in over_budget]
        if reason:
            unavailable[scenario.name] = reason
        elif lacking:
            over_budget[scenario.name] = f"it follows the scenario {lacking[0]}, which is over budget"
        elif not settings.budget.allows(total + scenario.cost):
            over_budget[scenario.name] = f"the scenario {scenario.name} ({describe(scenario.cost)}) is over budget"
        else:
            total += scenario.cost
            chosen.append(scenario)
    return Plan(tuple(chosen), unavailable, over_budget)


def _ordered(scenarios: Mapping[str, Scenario]) -> list[Scenario]:
    """The scenarios as listed, each after those that must run before it."""
    done: dict[str, Scenario] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"scenarios wait for each other: {' after '.join((*path, name))}")
        if name in done:
            return
        for earlier in scenarios[name].after:
            visit(earlier, (*path, name))
        done[name] = scenarios[name]

    for name in scenarios:
        visit(name, ())
    return list(done.values())
