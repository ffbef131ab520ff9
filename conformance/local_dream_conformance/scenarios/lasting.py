"""Generations that last long enough for something to be done meanwhile."""

from __future__ import annotations

import math
from itertools import pairwise

from local_dream_conformance.core.exchange import Exchange, Transcript
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.http.running import Running
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.drafts import Draft
from local_dream_conformance.scenarios.forms import MANY_STEPS

LONG_ENOUGH = 4.0
"""Seconds that a run should last which is to be abandoned: questions are asked while it streams, and what is left of it
then must be long beside what a busy machine adds to the next run (ROB-04)."""
TOGETHER = 0.002
"""Seconds between events that were sent together, at most: their bytes are read in pieces."""
BOUNDS = (9, MANY_STEPS)
"""The fewest and the most steps of a generation that is to last."""


def steps_to_last(per_step: float | None, seconds: float = LONG_ENOUGH) -> int:
    """As many steps as take so long at a speed, and one that is waited for, within bounds; the
    fewest where the speed is not known."""
    fewest, most = BOUNDS
    return fewest if per_step is None else max(fewest, min(most, 1 + math.ceil(seconds / max(per_step, 0.001))))


def pace(target: Target) -> float | None:
    """Seconds that a step of `base` took; None where it does not tell."""
    base = first_of(target.transcript("base"))
    if base is None:
        return None
    stream, steps = generation(base), requests.steps(target.settings)
    reports = [event for event in stream.progress if event.step is not None]
    done = (reports[-1].step or 0) - (reports[0].step or 0) if reports else 0
    arrivals = sum(later.at - one.at > TOGETHER for one, later in pairwise(reports)) + 1
    if done > 0 and arrivals * 2 > len(reports):
        return (reports[-1].at - reports[0].at) / done
    # A single report, as from servers that report now and then, or several that were sent together: they came long
    # after the steps that they tell of.
    return stream.complete.at / steps if stream.complete is not None else None


def begin(target: Target, label: str, draft: Draft) -> tuple[Running, bool]:
    """Begins a generation, and waits for its first event; whether it still streams then."""
    running = target.begin(label, draft.request(), draft.send_options)
    return running, running.wait_for_event()


def first_of(transcript: Transcript | None) -> Exchange | None:
    """The first exchange of a scenario that ran."""
    return transcript.exchanges[0] if transcript and transcript.exchanges else None
