"""What came of runs at hostile targets: kept between commands, and as the page docs/hostile.md."""

from __future__ import annotations

import json
import os
import platform
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.hostile.hostile import CPU, MEMORY
from tests.hostile.judged import QUICK, Ran
from tests.hostile.targets import TARGETS

HEAD = """# Hostile targets

What the suite comes to at targets that send what no server should. Written by `python -m tests.hostile --page`,
{days}, with Python {python} on {cores} cores that others used too. A run must end with the exit status and the ids of
`tests/hostile/targets.py`, in {memory} MiB and {cpu:.0f} s of processor time (where the table there says no more), with
a report, without a traceback, and without a line that a terminal or a CI runner obeys; ✗ where it did not. The bounds
are in [`limits.md`](limits.md). Runs had {options}: they end there, and what is broken beside what must be says how
busy the machine was with something else.

{held} of {tried} ended as they must, {untried} of {all} were not tried. The most
memory was {peak} MiB, the longest run {wall:.0f} s.

| target | exit | memory, MiB | processor, s | time, s | broken |
|---|---|---|---|---|---|
"""
SHOWN = 6
"""Ids that a row names; of more it says how many."""


@dataclass(frozen=True)
class Outcome:
    """A run at a target: exit status, peak of memory (MiB), processor and wall time (s), ids found broken, what was
    wrong with it, the day, and the options."""

    name: str
    code: int
    peak: int
    cpu: float
    wall: float
    broken: tuple[str, ...]
    problems: tuple[str, ...]
    day: str
    options: str = " ".join(QUICK)

    @classmethod
    def of(cls, name: str, ran: Ran, problems: Sequence[str]) -> Outcome:
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        return cls(name, ran.code, ran.peak, ran.cpu, ran.wall, ran.broken, tuple(problems), day)


class Kept:
    """Outcomes in a file of JSON lines, by name; without a path they are in memory only."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._lock = path, threading.Lock()
        self.outcomes: dict[str, Outcome] = {}
        for line in path.read_text("utf-8").splitlines() if path and path.exists() else ():
            said = json.loads(line)
            said |= {"broken": tuple(said["broken"]), "problems": tuple(said["problems"])}
            self.outcomes[said["name"]] = Outcome(**said)

    def add(self, outcome: Outcome) -> None:
        """Adds it to the file."""
        if self._path:
            with self._lock, self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(outcome)) + "\n")


def page(outcomes: Sequence[Outcome]) -> str:
    """The page, with the targets in the order of the table of targets."""
    places = {hostile.name: place for place, hostile in enumerate(TARGETS)}
    rows = sorted((one for one in outcomes if one.name in places), key=lambda one: places[one.name])
    days = sorted({one.day for one in rows})
    head = HEAD.format(
        days="on " + (days[0] if days[:1] == days[-1:] else f"{days[0]} to {days[-1]}"),
        python=platform.python_version(),
        cores=os.cpu_count(),
        memory=MEMORY,
        cpu=CPU,
        options=" or ".join(f"`{options}`" for options in sorted({one.options for one in rows})),
        held=sum(not one.problems for one in rows),
        tried=len(rows),
        untried=len(TARGETS) - len(rows),
        all=len(TARGETS),
        peak=max(one.peak for one in rows),
        wall=max(one.wall for one in rows),
    )
    return head + "".join(f"{_row(one)}\n" for one in rows)


def _row(one: Outcome) -> str:
    broken = ", ".join(one.broken[:SHOWN]) + (f" and {len(one.broken) - SHOWN} more" if len(one.broken) > SHOWN else "")
    wrong = f" ✗ {'; '.join(one.problems)}" if one.problems else ""
    return f"| {one.name} | {one.code} | {one.peak} | {one.cpu:.0f} | {one.wall:.0f} | {broken or 'nothing'}{wrong} |"
