"""Rounds of the same run: kept as lines, compared, and as the page docs/repeatability.md."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HEAD = """# Repeatability

The suite again and again against the same server, and what was not the same every time: the exit status, and what
became of each requirement. Written by `python -m tests.repeatability --page`, {days}, with Python {python} on {cores}
cores that others used too; runs had `--profile all`. Busy means a process for each core that computes and does
nothing else, idle that the command adds none to what others do.

| server | surroundings | rounds | exit status | a round takes, s |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Round:
    """One run: its surroundings, exit status (-1: killed), the verdict of each requirement, seconds, the day, and the
    end of what it printed where the status is not 0."""

    target: str
    busy: bool
    processes: int
    code: int
    states: dict[str, str]
    seconds: float
    day: str
    said: str = ""

    @property
    def surroundings(self) -> str:
        return ("busy" if self.busy else "idle") + (f", -n {self.processes}" if self.processes > 1 else "")

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


def read(path: Path) -> list[Round]:
    """Rounds of a file of JSON lines; none where there is no file."""
    return [Round(**json.loads(line)) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def differences(rounds: Sequence[Round]) -> list[str]:
    """A line for each server whose exit status is not the same every time, and for each requirement that flips."""
    found = []
    for target in sorted({one.target for one in rounds}):
        of = [one for one in rounds if one.target == target]
        if len(codes := Counter(str(one.code) for one in of)) > 1:
            found.append(f"{target}: exit status {_counted(codes)}")
        for id in sorted({id for one in of for id in one.states}):
            states = Counter(one.states.get(id, "missing") for one in of)
            if len(states) > 1:
                common = states.most_common(1)[0][0]
                where = sorted({one.surroundings for one in of if one.states.get(id, "missing") != common})
                found.append(f"{target}: {id} {_counted(states)} (not {common}: {'; '.join(where)})")
    return found


def page(rounds: Sequence[Round]) -> str:
    """The page. Raises ValueError where there are no rounds."""
    days = sorted({one.day for one in rounds})
    if not days:
        raise ValueError("no rounds are kept")
    said = f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"
    text = HEAD.format(days=said, python=platform.python_version(), cores=os.cpu_count())
    for target, surroundings in sorted({(one.target, one.surroundings) for one in rounds}):
        of = [one for one in rounds if (one.target, one.surroundings) == (target, surroundings)]
        codes = _counted(Counter(str(one.code) for one in of))
        took = sorted(one.seconds for one in of)
        text += f"| {target} | {surroundings} | {len(of)} | {codes} | {took[0]:.0f} to {took[-1]:.0f} |\n"
    found = differences(rounds)
    return text + (
        "\nNothing differed.\n" if not found else "\nDifferent:\n\n" + "".join(f"- {one}\n" for one in found)
    )


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {count} times" for what, count in sorted(counts.items()))
