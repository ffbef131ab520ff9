"""The conformance suite. What others may import stands here; the modules below are private.

Enough to write a suite of one's own (examples/own_suite): a contract, scenarios that make calls, checks that judge
them, and the hook `pytest_local_dream_suite(config) -> Suite` that puts it in place of the one shipped.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_dream_conformance.checks.check import REGISTRY, Check, check
    from local_dream_conformance.core.budget import Budget, Cost
    from local_dream_conformance.core.context import Context
    from local_dream_conformance.core.contract import Contract, Level, Requirement
    from local_dream_conformance.core.contract import load as load_contract
    from local_dream_conformance.core.exchange import Exchange, Request
    from local_dream_conformance.core.settings import Settings
    from local_dream_conformance.http.target import Target
    from local_dream_conformance.run.suite import Suite
    from local_dream_conformance.run.suite import load as load_suite
    from local_dream_conformance.scenarios.scenario import Scenario

__all__ = [
    "REGISTRY",
    "Budget",
    "Check",
    "Context",
    "Contract",
    "Cost",
    "Exchange",
    "Level",
    "Request",
    "Requirement",
    "Scenario",
    "Settings",
    "Suite",
    "Target",
    "check",
    "load_contract",
    "load_suite",
]

_HOMES = {
    "REGISTRY": ("checks.check", "REGISTRY"),
    "Check": ("checks.check", "Check"),
    "check": ("checks.check", "check"),
    "Budget": ("core.budget", "Budget"),
    "Cost": ("core.budget", "Cost"),
    "Context": ("core.context", "Context"),
    "Contract": ("core.contract", "Contract"),
    "Level": ("core.contract", "Level"),
    "Requirement": ("core.contract", "Requirement"),
    "load_contract": ("core.contract", "load"),
    "Exchange": ("core.exchange", "Exchange"),
    "Request": ("core.exchange", "Request"),
    "Settings": ("core.settings", "Settings"),
    "Target": ("http.target", "Target"),
    "Suite": ("run.suite", "Suite"),
    "load_suite": ("run.suite", "load"),
    "Scenario": ("scenarios.scenario", "Scenario"),
}
"""Where each public name lives, and its name there. They are imported when they are asked for: every pytest run imports
this package."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f"{__name__}.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
