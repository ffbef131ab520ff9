"""A sliding window over a stream: each item is used a few times, then replaced, so that drawing costs little."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import numpy as np

Raw = TypeVar("Raw")
Item = TypeVar("Item")


class Window(Generic[Raw, Item]):
    """Holds items ``position`` to ``position + size`` of a stream.

    The content is a pure function of the position, so a resumed run continues with the very pictures that the
    interrupted one would have used.
    """

    def __init__(
        self,
        open_stream: Callable[[int], Iterator[Raw]],
        prepare: Callable[[list[Raw]], list[Item]],
        size: int,
        fresh: int,
    ) -> None:
        self._open, self._prepare = open_stream, prepare
        self._size, self._fresh = size, fresh
        self._items: deque[Item] = deque(maxlen=size)
        self._source: Iterator[Raw] | None = None

    def at(self, turn: int) -> deque[Item]:
        """Return the window of turn number ``turn``; turns must follow each other once begun."""
        if self._source is None:
            self._source = self._open(turn * self._fresh)
            self._take(self._size)
        else:
            self._take(self._fresh)
        return self._items

    def _take(self, count: int) -> None:
        assert self._source is not None
        # Small groups keep the memory of a network that prepares items (pictures to latents) in bounds.
        while count > 0:
            group = [next(self._source) for _ in range(min(count, 16))]
            self._items.extend(self._prepare(group))
            count -= len(group)


def choose(items: deque[Item], count: int, rng: np.random.Generator) -> list[Item]:
    """Return ``count`` different items of the window (with repeats only if it is smaller than that)."""
    numbers = rng.choice(len(items), size=count, replace=count > len(items))
    return [items[int(number)] for number in numbers]
