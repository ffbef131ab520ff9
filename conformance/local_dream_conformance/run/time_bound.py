"""The most time that a run can take: said before the first call, and held.

It follows from what is asked in a dry run and from how long each answer is waited for (see http.patience). It is far
more than a run takes: a target would have to answer everything at the last moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.life import CONNECT_SECONDS, PATIENCE, SECOND_LOOK
from local_dream_conformance.http.patience import Kind, Limits
from local_dream_conformance.run.eta import HOUR, MINUTE, shown
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.run.relaunch import PATIENCE as RELAUNCH_SECONDS
from local_dream_conformance.run.worst_case import dry, is_own


@dataclass(frozen=True)
class TimeBound:
    """Seconds since the run began: no request is sent after `asks_until`, none is awaited after `ends_by`. Infinite
    where a scenario is somebody's own and no --max-duration is given."""

    asks_until: float
    ends_by: float

    @property
    def words(self) -> str:
        """In one line."""
        if math.isinf(self.ends_by):
            return "time: no bound is known, since scenarios of your own are among them; --max-duration sets one"
        most = shown(_rounded_up(self.ends_by))
        return f"time: at most {most}, if every answer takes as long as it may, and what judging takes here"


NO_BOUND = TimeBound(math.inf, math.inf)


def _rounded_up(seconds: float) -> float:
    """To the unit in which it is shown."""
    unit = next((unit for unit in (HOUR, MINUTE) if seconds >= 2 * unit), 1)
    return math.ceil(seconds / unit) * unit


def bound(plan: Plan, settings: Settings) -> TimeBound:
    """The bound of a run of this plan. Requests to a target that dies again and again are counted as answered late."""
    limits = Limits(settings.idle_timeout, settings.total_timeout)
    look = 2 * CONNECT_SECONDS + SECOND_LOOK
    allowed = math.inf
    if not any(is_own(scenario) for scenario in plan.scenarios):
        asked = dry(plan, settings).asked
        allowed = sum(count * (limits.longest(kind) + look) for kind, count in asked.items())
    asks_until = min(allowed, math.inf if settings.max_duration is None else settings.max_duration)
    wakes = 2 * PATIENCE + limits.longest(Kind.QUICK) + (RELAUNCH_SECONDS if settings.relaunch else 0.0)
    return TimeBound(asks_until, asks_until + limits.longest(Kind.WORK) + look + wakes)
