"""How the checks of generated requests judge them: all must be refused; of those that are not, one is shown."""

from __future__ import annotations

from collections.abc import Callable

from conformance.acceptance import reached
from conformance.check import Case
from conformance.evidence import outcome
from conformance.generated import SHRUNK, refused
from conformance.transcript import Exchange

NAMED = 5


def judge(case: Case, prefix: str, what_is_wrong: Callable[[Exchange], str]) -> None:
    """Expects status 400 for every generated request; where some were not refused so, the finding shows the shrunk one.

    `what_is_wrong` says why a request must be refused.
    """
    exchanges = list(reached(case.starting(prefix)))
    missed = [exchange for exchange in exchanges if not refused(exchange)]
    shown = next((exchange for exchange in missed if exchange.label == prefix + SHRUNK), missed[0] if missed else None)
    for exchange in exchanges:
        if exchange is shown or exchange not in missed:
            others = [other.label.removeprefix(prefix) for other in missed if other is not exchange]
            case.expect(
                exchange not in missed,
                expected=f"status 400, since {what_is_wrong(exchange)}",
                got=outcome(exchange) + _also(others),
                exchange=exchange,
                cause="the smallest request that was found to be answered like this" if exchange is shown else "",
            )


def _also(labels: list[str]) -> str:
    if not labels:
        return ""
    named = ", ".join(labels[:NAMED]) + (", ..." if len(labels) > NAMED else "")
    return f"; other generated requests ({named}; {len(labels)} in all) were not refused with 400 either"
