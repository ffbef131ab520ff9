"""The test hook that switches checks' assertions off, to see which of them can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import wraps

from local_dream_conformance.checks.check import Check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.run.suite import Suite


@dataclass
class Mute(Context):
    """Every expectation holds in it."""

    def expect(
        self,
        condition: bool,
        *,
        expected: str,
        got: str,
        exchange: Exchange | None = None,
        at: str = "",
        cause: str | Callable[[], str] = "",
    ) -> bool:
        return super().expect(True, expected=expected, got=got, exchange=exchange, at=at, cause=cause)


def mute(suite: Suite, check: Check) -> Suite:
    """The suite with one of its checks unable to fail."""

    @wraps(check.function)
    def function(context: Context) -> None:
        quiet = Mute(context.exchanges, context.settings)
        try:
            check.function(quiet)
        finally:
            context.assertions += quiet.assertions
            context.looked_at.update(quiet.looked_at)

    silent = replace(check, function=function)
    checks = {
        id: [silent if one is check else one for one in several] if id == check.id else several
        for id, several in suite.checks.items()
    }
    return replace(suite, checks=checks)


def alone(suite: Suite, check: Check) -> Suite:
    """The suite in which no other check of the same requirement can fail."""
    for other in suite.checks[check.id]:
        if other is not check:
            suite = mute(suite, other)
    return suite


def name(check: Check) -> str:
    """A check's name: a requirement may have several."""
    return f"{check.id} {check.function.__name__}"


def checks(suite: Suite, ids: set[str]) -> Iterator[Check]:
    """The checks of these requirements."""
    for id in sorted(ids):
        yield from suite.checks.get(id, ())
