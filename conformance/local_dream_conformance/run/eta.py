"""The pace of a run: how far the target is with a scenario, and how long the generations that are left will take it.

The target's own speed tells: seconds for each denoising step and pixel, measured on what it has generated so far.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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

    def begin(self, scenario: Scenario) -> None:
        """The scenario is made from now on."""
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

    def words(self) -> str:
        """Where the run is, in one line."""
        scenario = self.scenarios[self._at]
        parts = [f"scenario {self._at + 1} of {len(self.scenarios)}: {scenario.name}"]
        if self._latest.total:
            parts.append(f"step {self._latest.step} of {self._latest.total}")
        left = self.left()
        if left is not None and left >= 1:
            shown = f"{left:.0f} s" if left < 2 * MINUTE else f"{left / MINUTE:.0f} min"
            parts.append(f"about {shown} of generating left")
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
