"""Progress on a terminal: which scenario the target is working on, its step, the time left. Silent elsewhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local_dream_conformance.core.exchange import Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.run.eta import Eta
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.scenarios.scenario import Scenario

SAVE, RESTORE, ERASE = "\x1b7", "\x1b8", "\x1b[K"


class Progress:
    """A line after what the terminal's line already holds."""

    def __init__(self) -> None:
        self._reporter: Any = None
        self._screen: int | None = None
        self._pace: Eta | None = None
        self._lock = threading.Lock()

    def open(self, config: pytest.Config, plan: Plan, settings: Settings) -> None:
        """Begins, where there is a terminal. To be called while pytest does not capture the output."""
        self._reporter = config.pluginmanager.get_plugin("terminalreporter")
        if self._reporter is not None and self._reporter.isatty:
            self._screen = os.dup(1)
            self._pace = Eta(plan.scenarios, settings)

    @contextmanager
    def scenario(self, scenario: Scenario) -> Iterator[None]:
        """The time in which a scenario is made."""
        if self._screen is None or self._pace is None:
            yield
            return
        with self._lock:
            self._pace.begin(scenario)
            self._write(self._pace.words())
        try:
            yield
        finally:
            with self._lock:
                self._pace.end()
                self._write("")

    def on_data(self, request: Request, piece: bytes) -> None:
        """A piece of an answer has come; from any thread."""
        if self._screen is not None and self._pace is not None:
            with self._lock:
                if self._pace.on_data(id(request), piece):
                    self._write(self._pace.words())

    def close(self) -> None:
        """Gives the terminal back."""
        if self._screen is not None:
            os.close(self._screen)
            self._screen = None

    def _write(self, text: str) -> None:
        assert self._screen is not None
        writer = self._reporter._tw
        room = writer.fullwidth - writer.width_of_current_line - 1
        shown = f"  [{text}]" if text and len(text) + 4 <= room else ""
        os.write(self._screen, (SAVE + shown + ERASE + RESTORE).encode("ascii", "replace"))
