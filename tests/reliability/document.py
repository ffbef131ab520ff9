"""docs/reliability.md."""

from __future__ import annotations

import datetime
import os
import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

BARS = "▁▂▃▄▅▆▇█"
HEAD = """# Reliability

What was thrown at the servers, and what happened. Written by `python -m tests.reliability`, on {date}, with Python
{python} on {cores} cores that others used too{options}. A ✗ is something that must not happen. The limits that hold it
together, with their options, are in [`limits.md`](limits.md); what is promised is in [`SECURITY.md`](../SECURITY.md).
"""


@dataclass(frozen=True)
class Row:
    """One thing that was done: how often, and what came of it."""

    what: str
    count: int
    result: str
    broken: bool = False


@dataclass
class Section:
    """One server."""

    target: str
    rows: list[Row] = field(default_factory=list)
    curve: list[int] = field(default_factory=list)
    """Memory during the soak, in MiB."""
    seconds: float = 0.0

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(f"{self.target}: {row.what}: {row.result}", flush=True)  # noqa: T201  # who waits an hour wants to see

    @property
    def broken(self) -> bool:
        return any(row.broken for row in self.rows)


def document(sections: Sequence[Section], options: Sequence[str]) -> str:
    """The whole page."""
    given = f" and the options `{shlex.join(options)}`" if options else ""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    head = HEAD.format(date=today, python=platform.python_version(), cores=os.cpu_count(), options=given)
    return head + "".join(map(_section, sections))


def sparkline(values: Sequence[int]) -> str:
    """One bar a value, from 0 to the greatest."""
    most = max(values, default=0) or 1
    return "".join(BARS[round(value / most * (len(BARS) - 1))] for value in values)


def _section(section: Section) -> str:
    lines = [f"\n## {section.target} ({section.seconds:.0f} s)\n", "| what | times | result |", "|---|---|---|"]
    lines += [f"| {'✗ ' * row.broken}{row.what} | {row.count} | {row.result} |" for row in section.rows]
    if section.curve:
        span = f"{min(section.curve)} to {max(section.curve)} MiB"
        lines += ["\nMemory during the soak, from 0 up:\n", f"`{sparkline(section.curve)}` {span}"]
    return "\n".join(lines) + "\n"
