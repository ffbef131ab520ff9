"""How the checks of generated requests judge them: all must be refused; of those that are not, one is shown."""

from __future__ import annotations

from collections.abc import Callable

from local_dream_conformance.core.context import Context
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence.selectors import outcome
from local_dream_conformance.scenarios.generated_requests import SHRUNK, refused

NAMED = 5


def judge(context: Context, prefix: str, what_is_wrong: Callable[[Exchange], str]) -> None:
    """Expects status 400 for every generated request; where some were not refused so, the finding shows the shrunk one.

    `what_is_wrong` says why a request must be refused.
    """
    exchanges = list(context.starting(prefix))
    missed = [exchange for exchange in exchanges if not refused(exchange)]
    shown = next((exchange for exchange in missed if exchange.label == prefix + SHRUNK), missed[0] if missed else None)
    for exchange in exchanges:
        if exchange is shown or exchange not in missed:
            others = [other.label.removeprefix(prefix) for other in missed if other is not exchange]
            context.expect(
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
