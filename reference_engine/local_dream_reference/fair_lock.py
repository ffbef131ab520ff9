"""How the two kinds of work share one device: in turns, each for about as long as the other.

Two networks that run at once on the same cores wait for each other's threads at every operation, and either may come
to stand still. In turns nothing is lost: both together take as long as one after the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class FairLock:
    """One worker at a time holds the turn; those that wait get it in the order in which they came."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._given = 0
        self._serving = 0
        self._began = 0.0
        self._before = 0.0
        """How long the turn before the present one took, in seconds."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the turn: wait for it, and give it back at the end."""
        self._take()
        try:
            yield
        finally:
            self._give_back()

    def pass_on(self) -> None:
        """Let those that wait have a turn if this one has taken as long as the one before it; wait for the next.

        For whoever holds the turn and can pause.
        """
        with self._changed:
            waiting = self._given > self._serving + 1
        if waiting and time.monotonic() - self._began >= self._before:
            self._give_back()
            self._take()

    def _take(self) -> None:
        with self._changed:
            mine = self._given
            self._given += 1
            self._changed.wait_for(lambda: self._serving == mine)
            self._began = time.monotonic()

    def _give_back(self) -> None:
        with self._changed:
            self._before = time.monotonic() - self._began
            self._serving += 1
            self._changed.notify_all()
