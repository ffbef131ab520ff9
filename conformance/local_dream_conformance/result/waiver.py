"""A waiver: leave for a server to break a requirement, and what that makes of a judgement.

A waived requirement shows in the headline and does not fail the run. A waiver that has expired, or whose requirement
holds, is stale and does: nobody has to remember to remove it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from local_dream_conformance.core.verdict import Judgement, Verdict


@dataclass(frozen=True)
class Waiver:
    """Leave to break a requirement. `issue` is where the repair is tracked, "" where it is not.

    `expires` is the last day on which it holds. `source` is the file it stands in. A known deviation of a release
    (`known`) has neither owner nor last day, and is not stale where a server does not show it.
    """

    id: str
    reason: str
    source: str
    issue: str = ""
    owner: str = ""
    expires: date | None = None
    known: bool = False

    def is_over(self, today: date) -> bool:
        """Whether its last day is past."""
        return self.expires is not None and today > self.expires


def apply(judgement: Judgement, waiver: Waiver | None, today: date) -> Judgement:
    """The judgement in the light of its waiver. What could not be judged stays as it is (see `excuse`)."""
    if waiver is None:
        return judgement
    if judgement.verdict in (Verdict.FAIL, Verdict.WARN):
        if waiver.is_over(today):
            reason = f"its waiver in {waiver.source} expired on {waiver.expires} ({waiver.owner}): {waiver.reason}"
            return replace(judgement, verdict=Verdict.STALE, reason=reason)
        return replace(judgement, verdict=Verdict.WAIVED, reason=_reason(waiver))
    if judgement.verdict is Verdict.PASS and not waiver.known:
        reason = f"it holds, and yet {waiver.source} waives it: remove that waiver"
        return replace(judgement, verdict=Verdict.STALE, reason=reason)
    return judgement


def _reason(waiver: Waiver) -> str:
    if waiver.known:
        return f"{waiver.source}: {waiver.reason}"
    issue = f", {waiver.issue}" if waiver.issue else ""
    return f"until {waiver.expires}, {waiver.owner}{issue}: {waiver.reason}"
