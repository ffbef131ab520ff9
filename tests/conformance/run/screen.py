"""A terminal of a given width, as far as the suite uses one: what stands on it, and what ever stood there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping

SEQUENCE = re.compile(r"\x1b(?:([78])|\[([0-9;?]*)([A-Za-z]))")


class Screen:
    """Takes what a program writes. Lines wrap at `columns`; nothing scrolls away."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows: list[list[str]] = [[]]
        self.seen: set[str] = set()
        """The lines on which the cursor stood whenever a sequence was written."""
        self._row = self._column = 0
        self._saved = (0, 0)
        self._rest = ""

    @property
    def lines(self) -> list[str]:
        return ["".join(row) for row in self.rows]

    def feed(self, text: str) -> None:
        text, position = self._rest + text, 0
        while position < len(text):
            character, length = text[position], 1
            if character == "\x1b":
                found = SEQUENCE.match(text, position)
                if found is None:
                    break
                self._obey(found[1] or found[3], found[2] or "")
                length = len(found[0])
            elif character == "\r":
                self._column = 0
            elif character == "\n":
                self._down()
            else:
                self._put(character)
            position += length
        self._rest = text[position:]

    def _obey(self, letter: str, argument: str) -> None:
        self.seen.add(self.lines[self._row])
        if letter == "7":
            self._saved = (self._row, self._column)
        elif letter == "8":
            self._row, self._column = self._saved
        elif letter == "K":
            del self.rows[self._row][self._column :]
        elif letter == "C":
            self._column += int(argument or 1)

    def _put(self, character: str) -> None:
        if self._column >= self.columns:
            self._down()
            self._column = 0
        row = self.rows[self._row]
        row.extend(" " * (self._column + 1 - len(row)))
        row[self._column] = character
        self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.rows):
            self.rows.append([])


def run(columns: int, *arguments: str, environment: Mapping[str, str] | None = None) -> Screen:
    """`local-dream check` on such a terminal."""
    code = "from local_dream_conformance.cli import main; main()"
    return run_code(columns, code, "check", *arguments, environment=environment)


def run_code(columns: int, code: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Screen:
    """A program in Python on such a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-c", code, *arguments]
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env={**inherited, "TERM": "xterm", **(environment or {})}
    )
    os.close(slave)
    screen = Screen(columns)
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # how Linux says that the last writer is gone
            break
        if not piece:
            break
        screen.feed(piece.decode("utf-8", "replace"))
    os.close(master)
    process.wait()
    return screen
