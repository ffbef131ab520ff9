"""Standard output that cannot be written: the run goes on, and says so once on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, TextIO


class Lasting:
    """A text file that is written as long as that is possible; afterwards what is written is lost."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lost = False

    def write(self, text: str) -> int:
        """Writes, or does nothing."""
        if not self._lost:
            try:
                self._file.write(text)
                self._file.flush()
            except (OSError, ValueError) as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Nothing is ever held back."""

    def _lose(self, error: OSError | ValueError) -> None:
        self._lost = True
        with contextlib.suppress(OSError, ValueError):  # what it still holds must not fail when the process ends
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._file.fileno())
            os.close(nothing)
        if not isinstance(error, BrokenPipeError):
            said = (error.strerror if isinstance(error, OSError) else None) or str(error)
            with contextlib.suppress(OSError, ValueError, AttributeError):
                sys.stderr.write(f"local-dream: standard output cannot be written: {said}; the run goes on\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def open_what_is_closed() -> None:
    """Gives a process whose standard files are closed empty ones, before anything is opened in their place."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", closefd=False))
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False)
