"""What one check looks at, and what it finds there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from local_dream_conformance.core.errors import MissingEvidence, NotApplicable
from local_dream_conformance.core.exchange import GENERATE, REST, REUSED, UNREAD, End, Exchange
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Finding

FINDINGS_KEPT = 40


@dataclass
class Context:
    """What one check looks at, and what it found.

    `exchanges` maps labels to exchanges: those of the scenarios that the check needs and, for a check that judges every
    answer of a kind, those of every scenario in the run's plan. `left_out` has the labels of those that are missing,
    with the reason, and `withheld` of those that are sent only with --destructive.
    """

    exchanges: Mapping[str, Exchange]
    settings: Settings
    findings: list[Finding] = field(default_factory=list)
    assertions: int = 0
    looked_at: dict[str, None] = field(default_factory=dict)
    remark: str = ""
    """What a report shall say of a requirement that holds: the evidence for it, in one line."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    overlooked: frozenset[str] = frozenset()
    """Of what was left out, that which is missed only by who asks for it by its whole label."""
    withheld: Mapping[str, str] = field(default_factory=dict)
    missed: dict[str, str] = field(default_factory=dict)
    """Of what was left out, that which the check would have looked at."""
    missed_withheld: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, label: str) -> Exchange:
        """The exchange with this label. Raises MissingEvidence."""
        try:
            exchange = self.exchanges[label]
        except KeyError:
            self._miss(label)
            raise MissingEvidence(label, ours=True) from None
        self.looked_at[label] = None
        return exchange

    def __contains__(self, label: str) -> bool:
        if label not in self.exchanges:
            self._miss(label)
        return label in self.exchanges

    def starting(self, *prefixes: str) -> Iterator[Exchange]:
        """Exchanges whose label begins with one of the prefixes, in label order. Raises MissingEvidence."""
        found = sorted(label for label in self.exchanges if label.startswith(prefixes))
        self._miss_starting(prefixes)
        if not found:
            raise MissingEvidence(" or ".join(f"{prefix}*" for prefix in prefixes), ours=True)
        for label in found:
            yield self[label]

    def _miss(self, label: str) -> None:
        """Keeps that an exchange is missing, where it is known why."""
        for missing in (label, label.partition("/")[0] + REST):
            if missing in self.left_out:
                self.missed[label] = self.left_out[missing]
                break
        if label in self.withheld:
            self.missed_withheld[label] = self.withheld[label]

    def _miss_starting(self, prefixes: tuple[str, ...]) -> None:
        """The same for all that begin so. Where a series says what of it is missing, that is all of it."""
        named = {label.partition("/")[0] for label in self.left_out if not label.endswith(REST)}
        for label, reason in self.left_out.items():
            scenario = label.partition("/")[0]
            if label in self.overlooked:
                continue
            if label.startswith(prefixes) or (
                label == scenario + REST
                and scenario not in named
                and any(prefix.startswith(f"{scenario}/") for prefix in prefixes)
            ):
                self.missed[label] = reason
        self.missed_withheld |= {label: why for label, why in self.withheld.items() if label.startswith(prefixes)}

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
        """Tries one expectation and keeps a finding when it does not hold; answers whether it held.

        A cause that is guessed ends with a question mark; one that takes time to find is given as a function. What the
        command of a finding cannot show alone stands beside it: other generations that ran, a hang-up just before, a
        connection that had been used.
        """
        self.assertions += 1
        if not condition and len(self.findings) < FINDINGS_KEPT:
            if exchange is not None:
                at = ", ".join(filter(None, (at, *self._circumstances(exchange))))
            said = cause if isinstance(cause, str) else cause()
            self.findings.append(Finding(expected, got, exchange.label if exchange else "", at, said))
        return condition

    def _circumstances(self, exchange: Exchange) -> Iterator[str]:
        """What was so while an exchange was made and is not in its request."""
        if others := self.beside(exchange):
            yield f"while {' and '.join(other.label for other in others)} ran too"
        scenario = exchange.label.partition("/")[0]
        for other in self.exchanges.values():
            before = other.started + other.ended_at <= exchange.started
            if other.end is End.HUNG_UP and before and other.label.partition("/")[0] == scenario and _work(other):
                unread = dict(other.notes).get(UNREAD)
                behind = f", of which it had read nothing for {unread} s" if unread else ""
                yield f"after the client had hung up on {other.label}{behind}"
        if (REUSED, "true") in exchange.notes:
            yield "on a connection that had been used before"

    def beside(self, exchange: Exchange) -> list[Exchange]:
        """The generations of its scenario that ran at the same time as one; scenarios follow each other."""
        if exchange.operation != GENERATE:
            return []
        scenario = exchange.label.partition("/")[0]
        until = exchange.started + exchange.ended_at
        return [
            other
            for other in self.exchanges.values()
            if other.label != exchange.label
            and other.label.partition("/")[0] == scenario
            and (other.operation, other.status) == (GENERATE, 200)
            and other.started < until
            and exchange.started < other.started + other.ended_at
        ]

    def not_applicable(self, evidence: str) -> NoReturn:
        """Ends the check: the target does not have what the requirement speaks about."""
        raise NotApplicable(evidence)


def _work(exchange: Exchange) -> bool:
    return (exchange.operation, exchange.status) == (GENERATE, 200)
