"""Waivers and what they bring with them: a requirement that could not be judged because of waived ones is excused.

What is in the way of a requirement is either broken itself, or could not be judged either. Where answers gave nothing
to judge, it is what is broken in those same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.result import waiver
from local_dream_conformance.result.waiver import Waiver

OPEN = (Verdict.BLOCKED, Verdict.UNTESTED)
BROKEN = (Verdict.FAIL, Verdict.WARN)


@dataclass(frozen=True)
class Excuses:
    """The waivers of a run by requirement id. `judge` says what is in the evidence of a requirement, before waivers."""

    waivers: Mapping[str, Waiver]
    judge: Callable[[str], Judgement]
    today: date

    def apply(self, judgement: Judgement) -> Judgement:
        """The judgement in the light of all waivers."""
        if judgement.verdict not in OPEN:
            return waiver.apply(judgement, self.waivers.get(judgement.id), self.today)
        ids = self._covering(judgement)
        if not ids:
            return judgement
        said = f"{judgement.reason}; {' and '.join(ids)} {'is' if len(ids) == 1 else 'are'} waived"
        return replace(judgement, excused=True, reason=said, blocked_by=ids)

    def _covering(self, judgement: Judgement) -> tuple[str, ...]:
        """The waived requirements that are in the way of one, none where something else is, too."""
        if not judgement.blocked_by:
            return self._in_its_answers(judgement) if judgement.unusable else ()
        found: dict[str, None] = {}
        for id in judgement.blocked_by:
            earlier = self.judge(id)
            covering = self._covering(earlier) if earlier.verdict in OPEN else (id,) * self._waived(id)
            if not covering:
                return ()
            found |= dict.fromkeys(covering)
        return tuple(found)

    def _in_its_answers(self, judgement: Judgement) -> tuple[str, ...]:
        """The waived requirements that are broken in the answers that a check looked at."""
        looked_at = set(judgement.evidence)
        return tuple(
            id
            for id in self.waivers
            if self._waived(id) and any(finding.exchange in looked_at for finding in self.judge(id).findings)
        )

    def _waived(self, id: str) -> bool:
        """Whether a requirement is broken, and its waiver holds."""
        covering = self.waivers.get(id)
        return covering is not None and not covering.is_over(self.today) and self.judge(id).verdict in BROKEN
