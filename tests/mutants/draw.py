"""`python -m tests.mutants.draw`: has universalmutator change the servers by its rules, and draws a sample of that.

Only the drawing needs that tool (`pip install -e '.[mutation]'`): what was drawn lies in catalogue/mechanical, so that
later drawings, edits of the servers and releases of the tool leave it, what came of it and what was read in it alone.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import click

from tests.examples.servers import EXAMPLES, Example
from tests.mutants.mutant import MECHANICAL, entries
from tests.mutants.program import DoesNotCompile, program

SEED = "2026-11"
"""Whoever draws with another gets other mutants; it stands here so that nobody picks one by what comes out."""
A_LINE_AT_MOST = 2
"""One number makes fifteen mutants by the rules, which are much the same; those drawn are to be spread."""
LEFT_OUT = r"""
^\s*(//|#|"{3}|import |from |package |"[a-z0-9/]+"$|_ ")
^A stand-in|^What paints
console\.log|fmt\.Printf|log\.Fatal
parseArgs|step[-_]ms|\bport\b|argparse|parser|options = |flag\.
uvicorn\.run|net\.Listen|__main__
"""
"""What is no part of what a client sees: comments, imports, what is printed, the command line."""
WRITTEN = re.compile(
    r"^PROCESSING MUTANT: (\d+):.*?\(FROM: builtin:(.+?):\d+\)\.\.\..*?\[written to (.+?)\]", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Change:
    """A source of a server after one rule was applied to one of its lines."""

    source: str
    line: int
    rules: str
    text: str

    @property
    def key(self) -> str:
        """What stands for it in names, and puts it into an order that nobody has chosen."""
        return sha256(f"{SEED}\0{self.source}\0{self.text}".encode()).hexdigest()


@click.command()
@click.option("--server", "servers", multiple=True, type=click.Choice(list(EXAMPLES)), help="Only this one's; repeat.")
@click.option("--count", default=80, show_default=True, type=click.IntRange(min=1), help="How many each is to have.")
def main(servers: tuple[str, ...], count: int) -> None:
    """Fill each server's mechanical mutants up to a number. Those that are there stay; the others are a round more."""
    for server in servers or EXAMPLES:
        path = MECHANICAL / f"{server}.toml"
        there = entries(path) if path.exists() else {}
        number = 1 + max((int(entry.get("round", 1)) for entry in there.values()), default=0)
        drawn = Counter(str(entry["at"]) for entry in there.values())
        with path.open("a", encoding="utf-8", newline="\n") as file:
            for name, at, change in different(EXAMPLES[server]):
                if len(there) >= count:
                    break
                if name not in there and drawn[at] < A_LINE_AT_MOST:
                    drawn[at] += 1
                    there[name] = {"at": at}
                    file.write(entry_of(name, number, at, change, EXAMPLES[server]))
        click.echo(f"{server}: {len(there)}")


def different(example: Example) -> Iterator[tuple[str, str, Change]]:
    """The changes that compile, each another program than the server and than those before: name, line of code, change.

    They come in an order that follows from SEED alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        seen = {program(example, Path(folder), one, text) for one, text in texts_of(example).items()}
        for change in sorted(changes(example), key=lambda change: change.key):
            try:
                made = program(example, Path(folder), change.source, change.text)
            except DoesNotCompile:
                continue
            if made not in seen:
                seen.add(made)
                line = texts_of(example)[change.source].splitlines()[change.line - 1]
                yield f"{change.source.partition('.')[0]}-{change.key[:6]}", line.strip(), change


def changes(example: Example) -> list[Change]:
    """Every change that the tool's rules make."""
    found = []
    for source in example.sources:
        with tempfile.TemporaryDirectory() as folder:
            ignored = Path(folder) / "left-out"
            ignored.write_text(LEFT_OUT.strip() + "\n", encoding="utf-8")
            tool, target = Path(sys.executable).with_name("mutate"), example.folder / source
            options = "--noCheck", "--showRules", "--ignore", ignored, "--mutantDir", folder
            said = subprocess.run(
                [tool, target, *options], cwd=folder, check=True, capture_output=True, text=True
            ).stdout
            for line, rules, path in WRITTEN.findall(said):
                text = Path(path).read_text(encoding="utf-8")
                found.append(Change(source, int(line), rules, text))
    return found


def texts_of(example: Example) -> dict[str, str]:
    return {source: (example.folder / source).read_text(encoding="utf-8") for source in example.sources}


def entry_of(name: str, number: int, at: str, change: Change, example: Example) -> str:
    """The lines of the catalogue for a change: the lines that differ, and as many around as make them unique."""
    texts = texts_of(example)
    old, new = texts[change.source].splitlines(), change.text.splitlines()
    start = next(i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one != other)
    end = next(i for i, (one, other) in enumerate(zip(old[::-1], new[::-1], strict=False)) if one != other)
    end = min(end, len(old) - start - 1, len(new) - start)
    while sum(text.count("\n".join(old[start : len(old) - end])) for text in texts.values()) != 1:
        start, end = max(start - 1, 0), max(end - 1, 0)
    search, replace = ("\n".join(lines[start : len(lines) - end]) for lines in (old, new))
    fields: dict[str, object] = {"round": number} if number > 1 else {}
    fields |= {"at": at, "rules": change.rules, "search": search, "replace": replace}
    lines = [f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in fields.items()]
    return "\n".join([f"[{name}]", *lines, "", ""])


if __name__ == "__main__":
    main()
