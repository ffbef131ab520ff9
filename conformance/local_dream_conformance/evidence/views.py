"""What is read from exchanges, kept as long as there is room: many checks look at the same answers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from local_dream_conformance.core.exchange import Exchange

View = TypeVar("View")

ROOM = 96 << 20
"""Bytes for all that is kept; the latest is kept in any case."""
SPARE = 1 << 10
"""Bytes that the smallest view takes."""


class Views:
    """Makes each view of an exchange once, and again where there was no room to keep it."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[tuple[int, str], tuple[Exchange, Any, int]] = OrderedDict()
        self._taken = 0
        self._lock = threading.RLock()

    def of(self, exchange: Exchange, kind: str, make: Callable[[Exchange], View], weigh: Callable[[View], int]) -> View:
        """The view of a kind; `weigh` says how many bytes one takes, about."""
        key = (id(exchange), kind)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                view: View = self._kept[key][1]
                return view
            view = make(exchange)
            size = weigh(view) + SPARE
            while self._kept and self._taken + size > self._room:
                self._taken -= self._kept.popitem(last=False)[1][2]
            self._kept[key] = exchange, view, size
            self._taken += size
            return view


VIEWS = Views()
"""Those of this process."""
