"""The plan: which probes a run makes, in which order, and what they cost the target. Known before the first call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conformance.probe import Cost, Probe
from conformance.settings import Settings
from conformance.suite import Suite


@dataclass(frozen=True)
class Plan:
    """`probes` run in this order; the others do not, for the reasons given.

    `unavailable`: the settings say that the target does not have what the probe asks for. `over_budget`: it would
    have cost more than `--budget` allows. `not_recorded`: this is a replay, and the recording does not have it; where
    it is `partial`, checks judge what there is of the probes that they need.
    """

    probes: tuple[Probe, ...]
    unavailable: Mapping[str, str] = field(default_factory=dict)
    over_budget: Mapping[str, str] = field(default_factory=dict)
    not_recorded: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False

    @property
    def cost(self) -> Cost:
        """The cost of all probes that run."""
        return sum((probe.cost for probe in self.probes), Cost())

    def __contains__(self, name: str) -> bool:
        return any(probe.name == name for probe in self.probes)


def make(suite: Suite, ids: Sequence[str], settings: Settings) -> Plan:
    """The plan that judges the requirements `ids`: the probes of their checks, of what these require, and of what
    must have run before (where that is available). Probes that would go over the budget are left out, the later first.
    """
    wanted: set[str] = set()
    waiting = [name for check in suite.checks_for(ids) for name in check.needs]
    while waiting:
        name = waiting.pop()
        if name not in wanted and name in suite.probes:
            wanted.add(name)
            waiting.extend(suite.probes[name].after)

    chosen: list[Probe] = []
    unavailable: dict[str, str] = {}
    over_budget: dict[str, str] = {}
    total = Cost()
    for listed in _ordered(suite.probes):
        if listed.name not in wanted:
            continue
        probe = listed.priced(settings)
        reason = probe.available(settings)
        lacking = [name for name in probe.after if name in over_budget]
        if reason:
            unavailable[probe.name] = reason
        elif lacking:
            over_budget[probe.name] = f"it follows the probe {lacking[0]}, which is over budget"
        elif not settings.budget.allows(total + probe.cost):
            over_budget[probe.name] = f"the probe {probe.name} ({describe(probe.cost)}) is over budget"
        else:
            total += probe.cost
            chosen.append(probe)
    return Plan(tuple(chosen), unavailable, over_budget)


def describe(cost: Cost) -> str:
    """A cost in words."""
    parts = [counted(cost.generations, "generation")] if cost.generations else []
    parts += [counted(cost.upscales, "upscale")] if cost.upscales else []
    return " and ".join(parts) or "nothing"


def counted(count: int, noun: str) -> str:
    """A number of things in words."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _ordered(probes: Mapping[str, Probe]) -> list[Probe]:
    """The probes as listed, each after those that must run before it."""
    done: dict[str, Probe] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"probes wait for each other: {' after '.join((*path, name))}")
        if name in done:
            return
        for earlier in probes[name].after:
            visit(earlier, (*path, name))
        done[name] = probes[name]

    for name in probes:
        visit(name, ())
    return list(done.values())
