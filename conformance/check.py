"""Checks: pure functions of recorded exchanges, each proving one requirement.

A check sees only its `Case`: the exchanges, the settings, and `expect`. It makes no calls, keeps no state, reads no
clock, so the same evidence always gives the same verdict. A check that tried no expectation proves nothing and is an
error of the suite; one that cannot apply says so with `case.not_applicable(evidence)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from conformance.verdict import Finding

if TYPE_CHECKING:
    from conformance.settings import Settings
    from conformance.transcript import Exchange

FINDINGS_KEPT = 20


class NotApplicable(Exception):
    """The target does not have what the requirement speaks about; the message is the evidence."""


class MissingEvidence(Exception):
    """The evidence holds no such exchange (over budget, deselected, or a recording without it)."""


@dataclass
class Case:
    """What one check looks at, and what it found.

    `exchanges` maps labels to exchanges: those of the probes that the check needs and, for a check that judges every
    answer of a kind, those of every probe in the run's plan.
    """

    exchanges: Mapping[str, Exchange]
    settings: Settings
    findings: list[Finding] = field(default_factory=list)
    assertions: int = 0
    looked_at: dict[str, None] = field(default_factory=dict)
    remark: str = ""
    """What a report shall say of a requirement that holds: the evidence for it, in one line."""

    def __getitem__(self, label: str) -> Exchange:
        """The exchange with this label. Raises MissingEvidence."""
        try:
            exchange = self.exchanges[label]
        except KeyError:
            raise MissingEvidence(label) from None
        self.looked_at[label] = None
        return exchange

    def __contains__(self, label: str) -> bool:
        return label in self.exchanges

    def starting(self, *prefixes: str) -> Iterator[Exchange]:
        """Exchanges whose label begins with one of the prefixes, in label order. Raises MissingEvidence."""
        found = sorted(label for label in self.exchanges if label.startswith(prefixes))
        if not found:
            raise MissingEvidence(" or ".join(f"{prefix}*" for prefix in prefixes))
        for label in found:
            yield self[label]

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
        """Tries one expectation and keeps a finding when it does not hold; answers whether it held."""
        self.assertions += 1
        if not condition and len(self.findings) < FINDINGS_KEPT:
            self.findings.append(Finding(expected, got, exchange.label if exchange else "", at, cause))
        return condition

    def not_applicable(self, evidence: str) -> NoReturn:
        """Ends the check: the target does not have what the requirement speaks about."""
        raise NotApplicable(evidence)


@dataclass(frozen=True)
class Check:
    """A check function with what it needs.

    `needs`: probes without which it cannot judge. `over`: prefixes of exchange labels; the exchanges of every probe in
    the run's plan with such a label are added, so that "every stream" means every stream the run saw. `requires`: ids
    of requirements that must hold first; where one fails, this one is blocked and names it.
    """

    id: str
    function: Callable[[Case], None]
    needs: tuple[str, ...]
    over: tuple[str, ...]
    requires: tuple[str, ...]


REGISTRY: dict[str, list[Check]] = {}


def check(
    id: str,
    *,
    needs: Iterable[str],
    over: Iterable[str] = (),
    requires: Iterable[str] = (),
) -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Registers a check of requirement `id`. A requirement may have several; all must hold."""

    def register(function: Callable[[Case], None]) -> Callable[[Case], None]:
        REGISTRY.setdefault(id, []).append(Check(id, function, tuple(needs), tuple(over), tuple(requires)))
        return function

    return register
