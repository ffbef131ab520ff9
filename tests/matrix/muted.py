"""The test hook that switches a check's assertions off, to see whether the matrix would notice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import wraps

from conformance.check import Case, Check
from conformance.suite import Suite
from conformance.transcript import Exchange


@dataclass
class Mute(Case):
    """Every expectation holds in it."""

    def expect(
        self,
        condition: bool,
        *,
        expected: str,
        got: str,
        exchange: Exchange | None = None,
        at: str = "",
        cause: str = "",
    ) -> bool:
        return super().expect(True, expected=expected, got=got, exchange=exchange, at=at, cause=cause)


def mute(suite: Suite, check: Check) -> Suite:
    """The suite with one of its checks unable to fail."""

    @wraps(check.function)
    def function(case: Case) -> None:
        quiet = Mute(case.exchanges, case.settings)
        try:
            check.function(quiet)
        finally:
            case.assertions += quiet.assertions
            case.looked_at.update(quiet.looked_at)

    silent = replace(check, function=function)
    checks = {
        id: [silent if one is check else one for one in several] if id == check.id else several
        for id, several in suite.checks.items()
    }
    return replace(suite, checks=checks)


def name(check: Check) -> str:
    """A check's name: a requirement may have several."""
    return f"{check.id} {check.function.__name__}"


def checks(suite: Suite, ids: set[str]) -> Iterator[Check]:
    """The checks of these requirements."""
    for id in sorted(ids):
        yield from suite.checks.get(id, ())
