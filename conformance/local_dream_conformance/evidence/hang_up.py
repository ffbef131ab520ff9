"""What a hang-up in mid-stream, and the generation after it, show of when the server was free."""

from __future__ import annotations

from dataclasses import dataclass

from local_dream_conformance.core.exchange import BUSY_UNTIL, UNREAD, Exchange
from local_dream_conformance.evidence.generation import GenerationStream, generation

STEPS_TO_NOTICE = 3
"""A server looks for a client that is gone once a step; the first step of the next run is one more."""
LEAST_SECONDS = 0.5
"""What networks and schedulers may add, whatever the server does."""


@dataclass(frozen=True)
class HangUp:
    """Times in seconds. `left` is what the abandoned run had to go, `within` by when the next one should have begun."""

    left: float
    within: float
    waited: float
    """From the hang-up to the next run's first progress."""
    busy_until: float | None
    """Where the server refused the next run for a while: from the hang-up to when it last did so."""
    pace: float

    @property
    def tells(self) -> bool:
        """Whether the abandoned run had so long to go that a server which notices differs from one that does not."""
        return self.left >= 2 * max(STEPS_TO_NOTICE * self.pace, LEAST_SECONDS)

    @property
    def in_time(self) -> bool:
        """Whether the server was free by `within`. When a busy one became free is not known: the suite came back when
        it was told to."""
        return (self.waited if self.busy_until is None else self.busy_until) <= self.within


def hang_up(abandoned: Exchange, following: Exchange, base: Exchange | None = None) -> HangUp | None:
    """None where the progress events do not say how fast the server is."""
    stream, begun = generation(abandoned), generation(following).progress
    pace = _seconds_per_step(stream) or (_seconds_per_step(generation(base)) if base else None)
    last = stream.progress[-1] if stream.progress else None
    if not pace or last is None or last.step is None or last.total_steps is None or not begun:
        return None
    ended = abandoned.started + abandoned.ended_at
    unread = float(dict(abandoned.notes).get(UNREAD, 0))  # what was made meanwhile did not wait for a reader
    left = max(0.0, (last.total_steps - last.step) * pace - unread)
    busy = dict(following.notes).get(BUSY_UNTIL)
    return HangUp(
        left=left,
        # Half of what was left tells the two apart on machines that are busy with something else, too.
        within=stream.progress[0].at + left / 2,
        waited=following.started + begun[0].at - ended,
        busy_until=float(busy) - ended if busy else None,
        pace=pace,
    )


def _seconds_per_step(stream: GenerationStream) -> float | None:
    steps = [event for event in stream.progress if event.step is not None]
    if len(steps) < 2:
        return None
    done = (steps[-1].step or 0) - (steps[0].step or 0)
    return (steps[-1].at - steps[0].at) / done if done > 0 else None
