"""The suite: a contract with the checks that prove it and the scenarios that they need."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import local_dream_conformance.checks
from local_dream_conformance.checks.check import REGISTRY, Check
from local_dream_conformance.core import contract
from local_dream_conformance.core.contract import Contract, Requirement
from local_dream_conformance.scenarios.scenario import Scenario

CHECKS_FOLDER = Path(local_dream_conformance.checks.__file__ or "").resolve().parent


@dataclass(frozen=True)
class Suite:
    """What a run draws on. `folder` is where its checks lie, as pytest shows them."""

    contract: Contract
    checks: Mapping[str, Sequence[Check]]
    scenarios: Mapping[str, Scenario]
    folder: Path = CHECKS_FOLDER

    def module(self, requirement: Requirement) -> str:
        """The file name under which a requirement is shown: of those of its checks, the first in the alphabet."""
        checks = self.checks.get(requirement.id)
        if not checks:
            return requirement.group.replace("-", "_") + ".py"
        return min(check.function.__module__.rpartition(".")[2] for check in checks) + ".py"

    def groups(self, profile: str, extensions: Iterable[str] = ()) -> dict[str, list[Requirement]]:
        """The requirements of a profile (and of these extensions) that can be judged, by file name, both in order of
        the contract.
        """
        found: dict[str, list[Requirement]] = {}
        for requirement in self.contract.in_profile(profile, extensions):
            if not requirement.unjudged:
                found.setdefault(self.module(requirement), []).append(requirement)
        return found

    def checks_for(self, ids: Sequence[str]) -> Iterator[Check]:
        """The checks of these requirements and of all that must hold first, each once."""
        seen: set[str] = set()
        waiting = list(reversed(ids))
        while waiting:
            id = waiting.pop()
            if id in seen:
                continue
            seen.add(id)
            for check in self.checks.get(id, ()):
                waiting.extend(check.requires)
                yield check


def load() -> Suite:
    """The suite as shipped. Raises BadContract."""
    from local_dream_conformance.scenarios import SCENARIOS

    for module in pkgutil.iter_modules(local_dream_conformance.checks.__path__):
        importlib.import_module(f"local_dream_conformance.checks.{module.name}")
    return Suite(contract.load(), REGISTRY, SCENARIOS)
