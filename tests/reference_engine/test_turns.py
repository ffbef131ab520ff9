"""Turns: one at a time, in order, each for about as long as the other."""

from __future__ import annotations

import threading

import pytest

from local_dream_reference import fair_lock as module
from local_dream_reference.fair_lock import FairLock

PATIENCE = 20.0


class Clock:
    """Time that passes when the test says so."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Tile:
    """Another worker that wants a turn of some seconds."""

    def __init__(self, turns: FairLock, clock: Clock, seconds: float, order: list[str]) -> None:
        self._turns, self._clock, self._seconds, self._order = turns, clock, seconds, order
        before = turns._given
        self.thread = threading.Thread(target=self._work)
        self.thread.start()
        with turns._changed:
            assert turns._changed.wait_for(lambda: turns._given > before, PATIENCE)

    def _work(self) -> None:
        with self._turns.turn():
            self._order.append("tile")
            self._clock.now += self._seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_a_long_turn_lets_others_in_between(clock: Clock) -> None:
    turns, order = FairLock(), list[str]()
    with turns.turn():
        order.append("step")
        tile = Tile(turns, clock, 1.0, order)
        turns.pass_on()
        order.append("step")
    tile.thread.join(PATIENCE)
    assert order == ["step", "tile", "step"]


def test_nobody_waits_nothing_is_passed_on(clock: Clock) -> None:
    turns = FairLock()
    with turns.turn():
        turns.pass_on()
        assert turns._given == 1


def test_a_turn_lasts_as_long_as_the_one_before_it(clock: Clock) -> None:
    turns, order = FairLock(), list[str]()
    with turns.turn():
        first = Tile(turns, clock, 1.0, order)
        second = Tile(turns, clock, 1.0, order)
        for _ in range(8):
            turns.pass_on()
            order.append("step")
            clock.now += 0.3
    for tile in (first, second):
        tile.thread.join(PATIENCE)
    # Both tiles came before the turn came back, and it then lasts as long as the one before it: nobody waits any more.
    assert order == ["tile", "tile", *["step"] * 8]


def test_tiles_that_come_one_after_another_wait_for_as_many_steps_as_they_last(clock: Clock) -> None:
    turns, order = FairLock(), list[str]()
    with turns.turn():
        tile = Tile(turns, clock, 1.0, order)
        turns.pass_on()
        for _ in range(2):
            tile.thread.join(PATIENCE)
            tile = Tile(turns, clock, 1.0, order)
            while order.count("tile") < 2:
                clock.now += 0.3
                order.append("step")
                turns.pass_on()
    tile.thread.join(PATIENCE)
    assert order == ["tile", "step", "step", "step", "step", "tile", "tile"]
