"""Progress for the user while a run waits: on a terminal one line that follows what is asked, elsewhere one for each
scenario.

Both are written to the standard output as it was before pytest captured it. Pytest counts what stands on its own line:
it must find that line as it left it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from local_dream_conformance.core.exchange import Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.run.eta import Eta, Prospect
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.scenarios.scenario import Scenario

SAVE, RESTORE, ERASE = "\x1b7", "\x1b8", "\x1b[K"
TICK = 1.0
"""Seconds after which the line is written anew, so that it says how long a silent target has been waited for."""


class Progress:
    """What the user sees of a run that goes on."""

    def __init__(self) -> None:
        self._reporter: Any = None
        self._screen: int | None = None
        self._pace: Eta | None = None
        self._lock = threading.Lock()
        self._covers = False
        self._left_open = False

    def open(self, config: pytest.Config, plan: Plan, settings: Settings) -> None:
        """Begins, where somebody reads. To be called while pytest does not capture the output."""
        self._reporter = config.pluginmanager.get_plugin("terminalreporter")
        if self._reporter is not None:
            self._screen = os.dup(1)
            self._pace = Eta(plan.scenarios, settings)

    @contextmanager
    def scenario(self, scenario: Scenario) -> Iterator[None]:
        """The time in which a scenario is made."""
        if self._screen is None or self._pace is None:
            yield
            return
        over = threading.Event()
        ticking = threading.Thread(target=self._tick, args=(over,), daemon=True)
        with self._lock:
            self._pace.begin(scenario)
            self._show(self._pace.words())
        if self._reporter.isatty:
            ticking.start()
        try:
            yield
        finally:
            over.set()
            with self._lock:
                self._pace.end()
                self._show(())
                if not self._reporter.isatty:
                    self._write_line(self._pace.sum())

    def on_ask(self, label: str) -> None:
        """A request is sent; from any thread."""
        if self._screen is not None and self._pace is not None:
            with self._lock:
                self._pace.ask(label)
                self._show(self._pace.words())

    def on_data(self, request: Request, piece: bytes) -> None:
        """A piece of an answer has come; from any thread."""
        if self._screen is not None and self._pace is not None:
            with self._lock:
                if self._pace.on_data(id(request), piece):
                    self._show(self._pace.words())

    def follow(self, prospect: Callable[[], Prospect]) -> None:
        """What is asked for the target's prospect whenever the time left is reckoned."""
        if self._pace is not None:
            self._pace.prospect = prospect

    def close(self) -> None:
        """Gives the output back."""
        with self._lock:
            if self._screen is not None:
                os.close(self._screen)
                self._screen = None

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(TICK):
            with self._lock:
                if not over.is_set() and self._screen is not None and self._pace is not None:
                    self._show(self._pace.words())

    def _show(self, lines: Sequence[str]) -> None:
        """Shows the longest of these lines that there is room for; () takes it away."""
        if not self._reporter.isatty:
            return
        writer, width = self._reporter._tw, self._width()
        column = writer.width_of_current_line % width
        beside = width - column - 5
        text = next((f"  [{line}]" for line in lines[:2] if len(line) <= beside), "")
        shown = SAVE + text + ERASE + RESTORE
        if self._covers or not text:
            # Where there is no room beside what pytest has written, it is covered, and written again afterwards.
            self._covers = bool(lines) and not text
            room = width - 1
            line = next((line for line in lines if len(line) <= room), lines[-1][:room] if lines else "")
            mine = writer._current_line[len(writer._current_line) - column :] if column else ""
            if self._covers:
                shown = f"\r{line}{ERASE}\r" + (f"\x1b[{column}C" if column else "")
            else:
                shown = f"\r{mine}{ERASE}" + (shown if text else "")
        self._write(shown)

    def _write_line(self, text: str) -> None:
        """Writes a line between those of pytest, which then begins a new one."""
        writer = self._reporter._tw
        begun = writer.width_of_current_line or self._left_open
        self._write(("\n" if begun else "") + text)
        self._left_open = self._reporter.showlongtestinfo
        if self._left_open:
            self._reporter.currentfspath = None  # the next result begins a line, with its place
        else:
            self._write("\n")
        writer._current_line = ""

    def _width(self) -> int:
        """Columns of the terminal. Pytest looks at its standard output, which may be captured, and then guesses."""
        assert self._screen is not None
        with contextlib.suppress(ValueError):
            if (columns := int(os.environ.get("COLUMNS", ""))) > 0:
                return columns
        with contextlib.suppress(OSError):
            return os.get_terminal_size(self._screen).columns or 80
        return 80

    def _write(self, text: str) -> None:
        assert self._screen is not None
        os.write(self._screen, text.encode("ascii", "replace"))
