"""The pace of a run: how far the target is with a scenario, and how long the generations that are left will take it.

The target's own speed tells: how long it was silent before the first event, once for each generation, and the seconds
for each denoising step and pixel after that.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.patience import STALLS
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.scenario import Scenario

STEP = re.compile(rb'"step"\s*:\s*([0-9]{1,9})')
TOTAL = re.compile(rb'"total_steps"\s*:\s*([0-9]{1,9})')
MINUTE, HOUR = 60, 3600


@dataclass
class Stream:
    """What is known of a generation that streams: the step it is at, and of how many."""

    step: int = 0
    total: int = 0

    @property
    def done(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.step / self.total) if self.total else 0.0


@dataclass(frozen=True)
class Prospect:
    """How many generations may still go without an answer before no other is sent, and for how many seconds each is
    waited for."""

    stalls: int = STALLS
    patience: float = math.inf


@dataclass
class Speed:
    """What generations took so far. Work is denoising steps times pixels."""

    silence: float | None = None
    """Seconds before the first event of the latest generation, the work that it told of included."""
    told: float = 0.0
    seconds: float = 0.0
    work: float = 0.0

    @property
    def per_work(self) -> float:
        return self.seconds / self.work if self.work else 0.0

    @property
    def wait(self) -> float:
        """Seconds from the request to the beginning of the work."""
        return max(0.0, (self.silence or 0.0) - self.told * self.per_work)


def shown(seconds: float) -> str:
    """A time in words."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.0f} h"


@dataclass
class Eta:
    """Follows a run through its scenarios. Not for several threads at once. `prospect` is asked whenever the time left
    is reckoned."""

    scenarios: Sequence[Scenario]
    settings: Settings
    clock: Callable[[], float] = time.monotonic
    prospect: Callable[[], Prospect] = Prospect
    _at: int = -1
    _began: float = 0.0
    _streams: dict[int, Stream] = field(default_factory=dict)
    _latest: Stream = field(default_factory=Stream)
    _speed: Speed = field(default_factory=Speed)
    _happened: float = 0.0
    _over: bool = False
    _asked: str = ""
    _asked_at: float = 0.0
    _requests: int = 0

    def begin(self, scenario: Scenario) -> None:
        """The scenario is made from now on."""
        self._asked, self._asked_at, self._requests = "", self.clock(), 0
        self._at = [planned.name for planned in self.scenarios].index(scenario.name)
        self._began = self._happened = self.clock()
        self._over = False
        self._streams = {}
        self._latest = Stream()

    def end(self) -> None:
        """The scenario has been made."""
        self._over = True

    def on_data(self, request: int, piece: bytes) -> bool:
        """Reads the progress in a piece of the answer to a request, by its identity. Whether there was any."""
        steps, totals = STEP.findall(piece), TOTAL.findall(piece)
        if steps and totals:
            begins = request not in self._streams
            self._latest = stream = self._streams.setdefault(request, Stream())
            before = stream.done
            stream.step, stream.total = int(steps[-1]), int(totals[-1])
            self._learn((stream.done - before) * self._work_of_one(), begins=begins)
        return bool(steps and totals)

    def _learn(self, work: float, *, begins: bool) -> None:
        """Some work has been told of; `begins`: by the first event of a generation."""
        now = self.clock()
        passed, self._happened = now - self._happened, now
        if begins:
            self._speed.silence, self._speed.told = passed, work
        elif work > 0:
            self._speed.seconds += passed
            self._speed.work += work

    def ask(self, label: str) -> None:
        """A request is sent."""
        self._asked, self._asked_at = label, self.clock()
        self._happened = self._asked_at
        self._requests += 1

    def words(self) -> tuple[str, ...]:
        """Where the run is, what is asked, for how long, and what remains: in one line, from the longest to the
        shortest."""
        scenario = self.scenarios[self._at]
        place, of = self._at + 1, len(self.scenarios)
        waited = shown(self.clock() - self._asked_at) if self._asked else ""
        asked = self._asked or scenario.name
        step = f"step {self._latest.step} of {self._latest.total}" if self._latest.total else ""
        left = self.left()
        remains = shown(left) if left is not None and left >= 1 else ""
        whole = [f"scenario {place} of {of}: {asked}", f"waiting {waited}" if waited else "", step]
        whole.append(f"about {remains} of generating left" if remains else "")
        brief = [f"{place}/{of} {asked}", waited, step.replace(" of ", "/"), f"{remains} left" if remains else ""]
        lines = [", ".join(filter(None, whole)), ", ".join(filter(None, brief))]
        for count in (3, 2, 1):
            lines.append(", ".join(filter(None, brief[:count])))
        return tuple(lines)

    def sum(self) -> str:
        """What the scenario that has been made took, in one line."""
        scenario, left = self.scenarios[self._at], self.left()
        parts = [
            f"scenario {self._at + 1} of {len(self.scenarios)}: {scenario.name}",
            counted(self._requests, "request"),
            f"{self.clock() - self._began:.1f} s",
        ]
        if left is not None and left >= 1 and self._at + 1 < len(self.scenarios):
            parts.append(f"about {shown(left)} of generating left")
        return ", ".join(parts)

    def left(self) -> float | None:
        """Seconds that the generations still to be made will take, None where the target's speed is not known yet."""
        speed, prospect = self._speed, self.prospect()
        if not prospect.stalls:
            return 0.0
        finished = any(stream.done == 1 for stream in self._streams.values())
        if speed.silence is None or not (speed.work or finished):
            return None
        one = self._work_of_one()
        running = 0.0 if self._over else sum(1 - stream.done for stream in self._streams.values() if stream.total) * one
        planned = self.scenarios[self._at].cost.generations
        here = 0 if self._over else max(0, planned - len(self._streams))
        later = self.scenarios[self._at + 1 :]
        ahead = here + sum(scenario.cost.generations for scenario in later)
        waited = min(speed.wait, self.clock() - self._happened) if here and not running else 0.0
        if speed.wait > prospect.patience:
            return running * speed.per_work + min(ahead, prospect.stalls) * prospect.patience
        work = running + here * one + sum(self._work_of(scenario) for scenario in later)
        return work * speed.per_work + ahead * speed.wait - waited

    def _work_of_one(self) -> float:
        """The work of a generation of the current scenario, all being alike."""
        scenario = self.scenarios[self._at]
        return self._work_of(scenario) / max(1, scenario.cost.generations)

    def _work_of(self, scenario: Scenario) -> float:
        """Denoising steps times pixels."""
        if scenario.work is not None:
            return scenario.work(self.settings)
        width, height = requests.size(self.settings)
        return scenario.cost.generations * requests.steps(self.settings) * width * height
