"""The step arithmetic of the recorded releases: what their progress events say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from local_dream_mockserver.faults.emulated.conversions import int_of
from local_dream_mockserver.faults.emulated.reader import Wanted
from local_dream_mockserver.faults.emulated.version import Version

MOST_PIXELS = 2**24
"""Larger pictures are refused here for want of memory; phones get there earlier or later."""

MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Counted:
    """`before` are the progress events (step, total) until the denoising begins, `steps` how many denoising steps have
    an event, `total` what all further events say. `failure` is the error event in their place, "" where there is
    none."""

    before: tuple[tuple[int, int], ...]
    steps: int
    total: int
    failure: str = ""

    @property
    def shown(self) -> int:
        """How many denoising steps have their event here. A real server would be at the others for hours."""
        return min(self.steps, MOST_EVENTS)

    def number(self, step: int) -> int:
        """What the event of a denoising step (from 1) says."""
        return len(self.before) + step - 1

    @property
    def last(self) -> int:
        """The number of the event once the picture is decoded."""
        return self.number(self.steps + 1) + 1


def counted(wanted: Wanted, version: Version) -> Counted:
    """The text encoder is a step, the decoder two; with a picture to begin with its encoder is one, and the steps that
    the strength leaves out are known only after the first event. Refining goes back to the noise first, in as many
    steps as are then taken forward."""
    first = int_of(wanted.steps + (3 if wanted.from_picture else 2))
    if failure := _failure(wanted, version):
        return Counted(((1, first),), 0, first, failure)
    if not wanted.from_picture:
        return Counted(((1, first),), max(0, wanted.steps), first)
    start = _start(wanted)
    if version.clamps_strength:
        start = max(0, min(start, wanted.steps - 1))
    left = wanted.steps - start if 0 <= start < wanted.steps else 0
    hops = max(1, left) if wanted.refines else 0
    total = int_of(first - start + hops)
    counted_in = tuple((step, total) for step in range(2, 3 + min(hops, MOST_EVENTS)))
    return Counted(((1, first), *counted_in), left, total)


def _failure(wanted: Wanted, version: Version) -> str:
    if min(wanted.size) < 0 or wanted.width * wanted.height > MOST_PIXELS:
        return "std::bad_alloc"
    if wanted.steps < 0 and version.clamps_strength:
        return "cannot create std::vector larger than max_size()"
    return ""


def _start(wanted: Wanted) -> int:
    """The first denoising step that is done, in the floats of the releases."""
    with np.errstate(all="ignore"):
        kept = np.float32(wanted.steps) * (np.float32(1) - np.float32(wanted.strength))
    return int(kept) if abs(kept) < 2**31 else -(2**31)
