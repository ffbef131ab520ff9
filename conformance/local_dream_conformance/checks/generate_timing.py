"""Checks of the group generate-events: whether progress events come while the work is done.

A server that holds events back sends them in one burst when all is done. An honest one may look much like it: it is
silent while a model is loaded or others are served, and then quick. What tells them apart is what lies between the
events on the way, not what lies before the first: bursts have nothing between their events, steps that took time do.
Where nothing lies between them, the steps may just have been too quick to be seen; then the burst counts only where
the server says that the steps took long, and a generation with much less to do was over much earlier.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.fields import documented
from local_dream_conformance.core.strict_json import number
from local_dream_conformance.evidence.generation import GenerationEvent, GenerationStream
from local_dream_conformance.evidence.selectors import ALONE, completed, fields

TOO_FAST = 0.2
"""Seconds of work below which events that come together prove nothing: so long can a busy machine hold reads back."""
TOO_FAST_FOR_FEW = 3.0
"""The same where there are fewer than FEW events, as from servers that report once a second whatever the steps."""
FEW = 3
SPREAD = 0.25
"""Share of the work after the first step over which events prove that they are not held back, however they lie."""
APART = 0.005
"""Seconds without a byte by which two events lie apart. What is sent in a burst comes within less."""
LEAST = 0.02
"""Seconds of such gaps that a stream must have in all."""
LUMPS = 4
"""So many events may come together on the way, as some networks make them do."""
MANY = 8
"""Progress events from which on a stream tells whether they come one by one."""
SEVERAL = 3
"""So many events at once are a lump."""
LONG = 0.5
"""Seconds without an event from which on a lump was held back: servers that look five times a second are no trouble."""
MUCH_LESS = 1 / 3
"""Share of the work of a generation that another one has at most, if their times are to be compared."""
AS_LONG = 0.7
"""Share of its time that the smaller one took, from which the time is no time of work."""


@check("GEN-EVT-07", needs=["base"], over=ALONE, requires=["GEN-EVT-01", "GEN-EVT-15"])
def events_arrive_in_time(context: Context) -> None:
    finished = [_Arrival(stream, complete) for stream, complete in completed(context, *ALONE)]
    # The first generation of a server may load its model before the first step: others tell more.
    later = [one for one in finished if one.stream.exchange.label != "base"]
    candidates = [one for one in later if one.steps >= FEW] or [one for one in finished if one.steps >= FEW]
    # Previews fill a slow network, so that nothing lies between them.
    judged = [one for one in candidates if not one.stream.previews] or candidates
    if not judged:
        raise MissingEvidence("no generation had three steps or more")
    told = 0
    for one in judged:
        in_time = one.is_spread or one.lies_apart
        if in_time or (one.waited >= one.too_fast and not _explained(one, later or finished)):
            told += 1
            context.expect(
                in_time,
                expected=f"progress events that lie apart as the steps do in {one.work * 1000:.0f} ms of work",
                got=f"all of them within the last {one.spread * 1000:.0f} ms before complete",
                exchange=one.stream.exchange,
                at=one.stream.progress[0].where,
                cause="the server, or a proxy before it, holds events back: is there a flush after each event?",
            )
    if not told:
        longest = max(judged, key=lambda one: one.waited)
        shown = f"the steps of the longest generation took {longest.waited * 1000:.0f} ms: too fast to tell"
        if longest.waited >= longest.too_fast:
            shown = "generations with few steps take as long as those with many: their steps are too fast to tell"
        context.not_applicable(shown)


@check("GEN-EVT-23", needs=["defaults"], over=ALONE, requires=["GEN-EVT-01", "GEN-EVT-15"])
def events_come_one_by_one(context: Context) -> None:
    # Previews fill a slow network, and what lies between them is the network's.
    finished = [_Arrival(stream, complete) for stream, complete in completed(context, *ALONE) if not stream.previews]
    judged = [one for one in finished if len(one.gaps) + 1 >= MANY]
    if not judged:
        context.not_applicable(f"no generation without previews had {MANY} progress events or more")
    for one in judged:
        lumps = [lump for lump in one.lumps() if lump.size >= SEVERAL and (lump.waited is None or lump.waited >= LONG)]
        most = max((lump.size for lump in lumps), default=0)
        longest = max((lump.waited or 0.0 for lump in lumps), default=0.0)
        context.expect(
            len(lumps) < 2 or sum(lump.size for lump in lumps) * 2 <= len(one.gaps),
            expected="progress events one by one, as the steps are made",
            got=f"{len(lumps)} times up to {most} at once, after up to {longest * 1000:.0f} ms without any",
            exchange=one.stream.exchange,
            cause="the server, or a proxy before it, collects events: is there a flush after each event?",
        )


@dataclass(frozen=True)
class _Lump:
    """Events that came together, after so many seconds without a byte; None where they were the first."""

    size: int
    waited: float | None


class _Arrival:
    """When the events of a finished generation came. All times in seconds."""

    def __init__(self, stream: GenerationStream, complete: GenerationEvent) -> None:
        self.stream = stream
        self.steps = _steps_done(stream)
        self.first = stream.progress[0].at if stream.progress else complete.at
        said = number(complete.payload.get("generation_time_ms")) or 0
        self.work = max(0.0, min(complete.at, said / 1000 if said > 0 else complete.at))
        """What the server reports, at most what the client waited: a queue is no work."""
        before = (number(complete.payload.get("first_step_time_ms")) or 0) / 1000
        self.waited = self.work - min(max(0.0, before), 0.9 * self.work)
        """The work after the first step: what was spent before it (loading, reading the prompt) cannot show in events,
        so it is left out where the server says how long it was, up to nine tenths."""
        self.gaps, last = _gaps(stream, complete)
        self.spread = last - self.first

    def lumps(self) -> Iterator[_Lump]:
        """What came together. The time before the first event is no silence of the server's making."""
        size, waited = 1, None
        for gap in self.gaps:
            if gap < APART:
                size += 1
                continue
            yield _Lump(size, waited)
            size, waited = 1, gap
        yield _Lump(size, waited)

    @property
    def is_spread(self) -> bool:
        """Whether the events take up much of the work after the first step."""
        return self.spread >= SPREAD * self.waited > 0

    @property
    def lies_apart(self) -> bool:
        """Whether there are gaps between the events, as many as steps leave."""
        apart = [gap for gap in self.gaps if gap >= APART]
        return sum(apart) >= LEAST and LUMPS * (1 + len(apart)) >= 1 + len(self.gaps)

    @property
    def too_fast(self) -> float:
        return TOO_FAST if len(self.gaps) + 1 >= FEW else TOO_FAST_FOR_FEW

    @property
    def size(self) -> float:
        """Denoising steps times pixels."""
        asked = fields(self.stream.exchange.request)
        edges = (number(asked.get(edge)) or documented()[edge].default for edge in ("width", "height"))
        pixels = 1.0
        for edge in edges:
            pixels *= edge
        return self.steps * pixels


def _explained(one: _Arrival, others: Sequence[_Arrival]) -> bool:
    """Whether a burst may be honest: of two generations the one with much less to do was waited for as long."""
    pairs = [sorted((one, other), key=lambda arrival: arrival.size) for other in others]
    return any(small.size <= MUCH_LESS * large.size and small.first >= AS_LONG * large.first for small, large in pairs)


def _gaps(stream: GenerationStream, complete: GenerationEvent) -> tuple[list[float], float]:
    """How long no byte came between one progress event and the next, and when the first byte of complete came."""
    arrivals = list(stream.exchange.arrivals)
    ends = list(accumulate(size for _, size in arrivals))

    def came(offset: int) -> float:
        return arrivals[min(bisect_right(ends, offset), len(arrivals) - 1)][0]

    running = [event for event in stream.progress if event.index < complete.index]
    gaps = [came(later.sse.start) - earlier.at for earlier, later in pairwise(running)]
    return gaps, came(complete.sse.start)


def _steps_done(stream: GenerationStream) -> float:
    """About how many denoising steps a request asks for: with an image, strength times steps."""
    asked = fields(stream.exchange.request)
    steps = number(asked.get("steps", 20)) or 0
    return steps * (number(asked.get("denoise_strength", 0.6)) or 0) if asked.get("image") else steps
