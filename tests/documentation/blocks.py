"""The fenced blocks of the README and of docs/, and the commands in them.

The Korean pages are left out: tests/site/test_korean.py holds their blocks equal to the English ones.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONSOLE = ("console", "bash", "sh", "shell")
"""Languages of blocks whose lines are commands: after a prompt (`$ `) in `console`, each line in the others."""
PROGRAMS = ("python",)
SHOWN = ("http", "text", "toml", "yaml")
"""What is shown and not run: `http` is made by `python -m tests.site`, the others are read by a test of their own."""
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"(?P<machine>[a-z0-9]*)\$ +")
"""A page with several machines has their names there."""


@dataclass(frozen=True)
class Command:
    """A command of a page: its line there, its text without the prompt, the output that the page shows, and the machine
    that the prompt names.
    """

    page: str
    line: int
    text: str
    output: tuple[str, ...] = ()
    machine: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its opening fence, counted from 1."""

    page: str
    line: int
    language: str
    text: str

    def commands(self) -> Iterator[Command]:
        """The commands of a console, in order; lines that end in a backslash go on."""
        lines = list(enumerate(self.text.splitlines(), self.line + 1))
        while lines:
            number, line = lines.pop(0)
            prompt = PROMPT.match(line) if self.language == "console" else None
            if self.language == "console" and prompt is None:
                raise ValueError(f"{self.page}:{number}: output without a command, or a prompt that is not '$ '")
            if not line.strip():
                continue
            text = line[prompt.end() :] if prompt else line
            while text.endswith("\\") and lines:
                text += f"\n{lines.pop(0)[1]}"
            output = []
            while self.language == "console" and lines and not PROMPT.match(lines[0][1]):
                output.append(lines.pop(0)[1])
            shows = tuple(shown for shown in output if shown.strip())
            yield Command(self.page, number, text, shows, prompt["machine"] if prompt else "")


def blocks(page: str, text: str) -> list[Block]:
    """The fenced blocks of a page, those within lists too."""
    return [
        Block(page, text.count("\n", 0, fence.start()) + 1, fence["language"].strip(), textwrap.dedent(fence["text"]))
        for fence in FENCE.finditer(text)
    ]


def pages() -> dict[str, str]:
    """The README and every English page of docs/, with their texts."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return {name: text for name, text in named.items() if not name.startswith("docs/ko/")}


def all_blocks() -> list[Block]:
    """The blocks of all pages."""
    return [block for page, text in pages().items() for block in blocks(page, text)]
