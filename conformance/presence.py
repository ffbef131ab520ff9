"""Whether a target has an extension: what the first requirement of each extension expects."""

from __future__ import annotations

from conformance.check import Case
from conformance.transcript import Exchange


def expect_there(case: Case, extension: str, there: bool, evidence: str, exchange: Exchange | None = None) -> None:
    """Expects an extension where it is declared. Elsewhere its absence ends the check as not applicable.

    `evidence` says in one line what shows that it is or is not there; reports show it.
    """
    if there or case.settings.declares(extension):
        case.remark = evidence
        case.expect(
            there,
            expected=f"the extension {extension}, which --extension declares",
            got=evidence,
            exchange=exchange,
        )
        return
    case.not_applicable(evidence)
