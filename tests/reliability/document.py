"""docs/reliability.md, and its pictures."""

from __future__ import annotations

import datetime
import json
import os
import platform
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby, product
from pathlib import Path

from tests.reliability.curve import svg
from tests.reliability.served import COMMANDS

HEAD = """# Reliability

What was thrown at the servers, and what happened. Written by `python -m tests.reliability --page`, with Python
{python} on {cores} cores that others used too: the load before each part says how much, and times are to be read
with it. Each part has servers of its own. A ✗ is something that must not happen. The limits that hold it together,
with their options, are in [`limits.md`](limits.md); what is promised is in [`SECURITY.md`](../SECURITY.md).
"""
ABOUT = {
    "mock": "`local-dream mock`.",
    "reference": "`local-dream serve` with the model that ships.",
    "proxy": "`local-dream proxy` before a mock; its own memory.",
    "mock-control": "`local-dream mock --control`: what is thrown goes to `/__mock__/`.",
    "control-port": "`local-dream mock --control-port`: what is thrown goes to the second port.",
}


PARTS = {
    "crowds": "What many clients at once, hostile ones and those that leave do to it",
    "soak": "A soak",
    "neighbours": "What one client does to another, and how it ends",
}


@dataclass(frozen=True)
class Row:
    """One thing that was done: how often, and what came of it."""

    what: str
    count: int
    result: str
    broken: bool = False


@dataclass
class Section:
    """One part of what was done to a target: on which day, by a command with these options."""

    target: str
    part: str
    """One of PARTS."""
    rows: list[Row] = field(default_factory=list)
    curve: list[int] = field(default_factory=list)
    """Memory during the soak, in MiB, at equal intervals."""
    soaked: float = 0.0
    """Seconds that the soak took."""
    seconds: float = 0.0
    options: list[str] = field(default_factory=list)
    load: float = field(default_factory=lambda: os.getloadavg()[0])
    """Of the machine in the minute before: times are to be read with it."""
    nice: int = field(default_factory=lambda: os.nice(0))
    """How far the servers and their clients stood back behind others: 0 to 19."""
    day: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date().isoformat())

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(f"{self.target}: {row.what}: {row.result}", flush=True)  # noqa: T201  # who waits an hour wants to see

    @property
    def broken(self) -> bool:
        return any(row.broken for row in self.rows)

    def line(self) -> str:
        """As a line of JSON."""
        return json.dumps(asdict(self)) + "\n"


def read(path: Path) -> list[Section]:
    """The last section of each part of each target in a file of lines, in the order of COMMANDS and PARTS; none where
    there is no file."""
    found = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        said = json.loads(line)
        found[said["target"], said["part"]] = Section(**said | {"rows": [Row(**row) for row in said["rows"]]})
    return [found[key] for key in product(COMMANDS, PARTS) if key in found]


def write(sections: Sequence[Section], page: Path) -> None:
    """The page, and beside it a picture for each curve."""
    page.write_text(document(sections), encoding="utf-8")
    for section in sections:
        if section.curve:
            title = f"Memory of {section.target} during the soak"
            page.with_name(picture(section)).write_text(svg(title, section.curve, section.soaked), encoding="utf-8")


def document(sections: Sequence[Section]) -> str:
    """The whole page."""
    text = HEAD.format(python=platform.python_version(), cores=os.cpu_count())
    for target, parts in groupby(sections, key=lambda section: section.target):
        text += f"\n## {target}\n\n{ABOUT[target]}\n" + "".join(map(_section, parts))
    return text


def picture(section: Section) -> str:
    """The name of its file."""
    return f"reliability-{section.target}.svg"


def _section(section: Section) -> str:
    given = f", with the options `{shlex.join(section.options)}`" if section.options else ""
    told = f"{PARTS[section.part]}: on {section.day}, {section.seconds:.0f} s, load {section.load:.0f}"
    told += f", nice {section.nice}{given}." if section.nice else f"{given}."
    lines = [f"\n{told}\n", "| what | times | result |", "|---|---|---|"]
    lines += [f"| {'✗ ' * row.broken}{row.what} | {row.count} | {row.result} |" for row in section.rows]
    if section.curve:
        span = f"{min(section.curve)} to {max(section.curve)} MiB"
        lines.append(f"\n![Memory of {section.target} during the soak: {span}]({picture(section)})")
    return "\n".join(lines) + "\n"
