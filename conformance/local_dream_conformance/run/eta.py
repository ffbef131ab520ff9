"""The pace of a run: how far the target is with a scenario, and how long the generations that are left will take it.

The target's own speed tells: seconds for each denoising step and pixel, measured on what it has generated so far.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.scenario import Scenario

STEP = re.compile(rb'"step"\s*:\s*([0-9]{1,9})')
TOTAL = re.compile(rb'"total_steps"\s*:\s*([0-9]{1,9})')
MINUTE = 60


@dataclass
class Stream:
    """What is known of a generation that streams: the step it is at, and of how many."""

    step: int = 0
    total: int = 0

    @property
    def done(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.step / self.total) if self.total else 0.0


def shown(seconds: float) -> str:
    """A time in words."""
    return f"{seconds:.0f} s" if seconds < 2 * MINUTE else f"{seconds / MINUTE:.0f} min"


@dataclass
class Eta:
    """Follows a run through its scenarios. Not for several threads at once."""

    scenarios: Sequence[Scenario]
    settings: Settings
    clock: Callable[[], float] = time.monotonic
    _at: int = -1
    _began: float = 0.0
    _streams: dict[int, Stream] = field(default_factory=dict)
    _latest: Stream = field(default_factory=Stream)
    _seconds: float = 0.0
    _work: float = 0.0
    _asked: str = ""
    _asked_at: float = 0.0
    _requests: int = 0

    def begin(self, scenario: Scenario) -> None:
        """The scenario is made from now on."""
        self._asked, self._asked_at, self._requests = "", self.clock(), 0
        self._at = [planned.name for planned in self.scenarios].index(scenario.name)
        self._began = self.clock()
        self._streams = {}
        self._latest = Stream()

    def end(self) -> None:
        """The scenario has been made."""
        work = self._work_of(self.scenarios[self._at])
        if work:
            self._seconds += self.clock() - self._began
            self._work += work

    def on_data(self, request: int, piece: bytes) -> bool:
        """Reads the progress in a piece of the answer to a request, by its identity. Whether there was any."""
        steps, totals = STEP.findall(piece), TOTAL.findall(piece)
        if steps and totals:
            self._latest = self._streams.setdefault(request, Stream())
            self._latest.step, self._latest.total = int(steps[-1]), int(totals[-1])
        return bool(steps and totals)

    def ask(self, label: str) -> None:
        """A request is sent."""
        self._asked, self._asked_at = label, self.clock()
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
        current = self._work_of(self.scenarios[self._at])
        done = current * self._done()
        seconds = self._seconds + (self.clock() - self._began if done else 0.0)
        if not self._work + done:
            return None
        later = sum(self._work_of(scenario) for scenario in self.scenarios[self._at + 1 :])
        return seconds / (self._work + done) * (later + current - done)

    def _done(self) -> float:
        """The share of the current scenario that has been made, from 0 to 1."""
        generations = self.scenarios[self._at].cost.generations
        finished = sum(stream.done for stream in self._streams.values())
        return min(1.0, finished / generations) if generations else 0.0

    def _work_of(self, scenario: Scenario) -> float:
        """Denoising steps times pixels."""
        if scenario.work is not None:
            return scenario.work(self.settings)
        width, height = requests.size(self.settings)
        return scenario.cost.generations * requests.steps(self.settings) * width * height
