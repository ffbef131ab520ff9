"""Checks of the group generate-events: whether progress events come while the work is done.

A server that holds events back sends them in one burst when all is done. An honest one may look much like it: it is
silent while a model is loaded or others are served, and then quick. What tells them apart is what lies between the
events on the way, not what lies before the first: bursts have nothing between their events, steps that took time do.
Where nothing lies between them, the steps may just have been too quick to be seen; then the burst counts only where
the server says that the steps took long, and a generation with much less to do was over much earlier, or where other
generations of the run show how long a step takes: a server may hold back nothing but what it compresses.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import documented
from local_dream_conformance.core.strict_json import number
from local_dream_conformance.evidence.generation import GenerationEvent, GenerationStream, generation
from local_dream_conformance.evidence.selectors import ALONE, GENERATIONS, REFUSED, completed, fields
from local_dream_conformance.http import coding

TOO_FAST = 0.2
"""Seconds of work below which events that come together prove nothing: so long can a busy machine hold reads back."""
TOO_FAST_FOR_FEW = 3.0
"""The same where there are fewer than FEW events, as from servers that report once a second whatever the steps."""
FEW = 3
BUSY = 2.0
"""Seconds of work up to which events that come together prove nothing where another generation of the kind, with as
much to do, has sent them one by one: a server that holds events back does it again."""
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
"""So many events at once are a lump: some networks make two of a kind, now and then."""
ALL = 0.75
"""Share of all events from which on those that come by twos are a lump each, too."""
LONG = 0.5
"""Seconds without an event from which on a lump was held back: servers that look five times a second are no trouble."""
MUCH_LESS = 1 / 3
"""Share of the work of a generation that another one has at most, if their times are to be compared."""
AS_LONG = 0.7
"""Share of its time that the smaller one took, from which the time is no time of work."""
FIRST = "base"
"""The label of a run's first generation."""
PACE_GAPS = 2
"""So many gaps between events tell how long a step takes: the one in the middle, or the shorter of two."""


@check("GEN-EVT-07", needs=["base"], over=(*GENERATIONS, "hang-up/abandoned"), requires=["GEN-EVT-01", "GEN-EVT-15"])
def events_arrive_in_time(context: Context) -> None:
    finished = [_Arrival(stream, complete) for stream, complete in completed(context, *ALONE)]
    # The first generation of a server may load its model before the first step: others tell more.
    later = [one for one in finished if one.stream.exchange.label != FIRST]
    candidates = [one for one in later if one.steps >= FEW] or [one for one in finished if one.steps >= FEW]
    # Previews fill a slow network, so that nothing lies between them.
    judged = [one for one in candidates if not one.stream.previews] or candidates
    if not judged:
        raise MissingEvidence("no generation had three steps or more")
    told, paces = 0, _paces(context)
    for one in judged:
        in_time = one.is_in_time
        if not in_time and one.waited < BUSY and any(other.is_in_time and other.is_like(one) for other in judged):
            continue  # the machine may have held up the suite that long
        explained = _explained(one, later or finished) and not one.is_short_of(paces)
        if in_time or (one.waited >= one.too_fast and not explained):
            told += 1
            context.expect(
                in_time,
                expected=f"progress events that lie apart as the steps do in {one.work * 1000:.0f} ms of work",
                got=f"all of them within the last {one.spread * 1000:.0f} ms before complete",
                exchange=one.stream.exchange,
                at=one.stream.progress[0].where,
                cause=_who_holds_back(one.stream.exchange, "holds events back"),
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
    judged = [one for one in finished if len(one.between_steps) + 1 >= MANY]
    if not judged:
        context.not_applicable(f"no generation without previews had {MANY} progress events or more")
    for one in judged:
        found = [lump for lump in one.lumps() if lump.size > 1 and (lump.waited is None or lump.waited >= LONG)]
        lumps = [lump for lump in found if lump.size >= SEVERAL]
        if _together(found) >= ALL * (len(one.between_steps) + 1):
            lumps = found
        most = max((lump.size for lump in lumps), default=0)
        longest = max((lump.waited or 0.0 for lump in lumps), default=0.0)
        context.expect(
            len(lumps) < 2 or _together(lumps) * 2 <= len(one.between_steps),
            expected="progress events one by one, as the steps are made",
            got=f"{len(lumps)} times up to {most} at once, after up to {longest * 1000:.0f} ms without any",
            exchange=one.stream.exchange,
            cause=_who_holds_back(one.stream.exchange, "collects events"),
        )


def _together(lumps: Sequence[_Lump]) -> int:
    """How many events came in lumps."""
    return sum(lump.size for lump in lumps)


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

    @property
    def between_steps(self) -> list[float]:
        """The gaps without those between two events of one step: a step may be told again."""
        pairs = list(pairwise(self.stream.progress))[: len(self.gaps)]
        told_again = [later.step is not None and later.step == earlier.step for earlier, later in pairs]
        return [gap for gap, again in zip(self.gaps, told_again, strict=True) if not again]

    def lumps(self) -> Iterator[_Lump]:
        """What came together. The time before the first event is no silence of the server's making."""
        size, waited = 1, None
        for gap in self.between_steps:
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
    def is_in_time(self) -> bool:
        """Whether the events come as the work is done."""
        return self.is_spread or self.lies_apart

    def is_like(self, other: _Arrival) -> bool:
        """Whether it is of the same kind: coded as the other is, with an image or without, and with as many steps."""
        one, two = self.stream.exchange, other.stream.exchange
        with_image = (bool(fields(exchange.request).get("image")) for exchange in (one, two))
        codings = (dict(exchange.notes).get(coding.NOTE) for exchange in (one, two))
        return len({*with_image}) == len({*codings}) == 1 and self.steps >= other.steps

    @property
    def too_fast(self) -> float:
        return TOO_FAST if len(self.gaps) + 1 >= FEW else TOO_FAST_FOR_FEW

    @property
    def size(self) -> float:
        """Denoising steps times pixels."""
        return self.steps * _pixels(self.stream.exchange)

    def is_short_of(self, paces: Sequence[_Pace]) -> bool:
        """Whether its steps, at the quickest pace of generations with no more pixels, take long beside its events."""
        known = [pace.seconds for pace in paces if pace.pixels <= _pixels(self.stream.exchange)]
        steps = _steps_told(self.stream.progress)
        return bool(known) and SPREAD * min(known) * steps >= max(self.spread, SPREAD * LONG)


@dataclass(frozen=True)
class _Pace:
    """How many seconds a step of a picture of so many pixels took, in a generation that showed it."""

    seconds: float
    pixels: float


def _paces(context: Context) -> list[_Pace]:
    """Of the generations whose events lay apart, those that ran beside another one or were hung up on too.

    Not of the first one, whose steps are slow on servers that load what they need at first use.
    """
    found = []
    for label in [label for label in context.exchanges if label != FIRST and not label.startswith(REFUSED)]:
        stream = generation(context[label])
        if stream.is_stream:
            gaps = sorted(_between(stream, stream.progress))
            if len(gaps) >= PACE_GAPS and (middle := gaps[(len(gaps) - 1) // 2]) >= APART:
                steps = _steps_told(stream.progress) / len(gaps)
                found += [_Pace(middle / steps, _pixels(stream.exchange))] if steps > 0 else []
    return found


def _explained(one: _Arrival, others: Sequence[_Arrival]) -> bool:
    """Whether a burst may be honest: of two generations the one with much less to do was waited for as long."""
    pairs = [sorted((one, other), key=lambda arrival: arrival.size) for other in others]
    return any(small.size <= MUCH_LESS * large.size and small.first >= AS_LONG * large.first for small, large in pairs)


def _gaps(stream: GenerationStream, complete: GenerationEvent) -> tuple[list[float], float]:
    """How long no byte came between one progress event and the next, and when the first byte of complete came."""
    running = [event for event in stream.progress if event.index < complete.index]
    return _between(stream, running), _came(stream)(complete)


def _between(stream: GenerationStream, events: Sequence[GenerationEvent]) -> list[float]:
    """How long no byte came between one event and the next."""
    came = _came(stream)
    return [came(later) - earlier.at for earlier, later in pairwise(events)]


def _came(stream: GenerationStream) -> Callable[[GenerationEvent], float]:
    """When the first byte of an event came."""
    arrivals = list(stream.exchange.arrivals)
    ends = list(accumulate(size for _, size in arrivals))
    return lambda event: arrivals[min(bisect_right(ends, event.sse.start), len(arrivals) - 1)][0]


def _steps_told(events: Sequence[GenerationEvent]) -> int:
    """From the step of the first progress event to that of the last."""
    first, last = (events[0].step, events[-1].step) if events else (None, None)
    return 0 if first is None or last is None else last - first


def _pixels(exchange: Exchange) -> float:
    """Of the picture that is asked for."""
    asked = fields(exchange.request)
    width, height = (number(asked.get(edge)) or documented()[edge].default for edge in ("width", "height"))
    return float(width * height)


def _who_holds_back(exchange: Exchange, does: str) -> str:
    """The guess at what is wrong with a stream whose events came together."""
    if coded := dict(exchange.notes).get(coding.NOTE):
        return f"the server, or a proxy before it, compresses ({coded}): is the compressor flushed after each event?"
    return f"the server, or a proxy before it, {does}: is there a flush after each event?"


def _steps_done(stream: GenerationStream) -> float:
    """About how many denoising steps a request asks for: with an image, strength times steps."""
    asked = fields(stream.exchange.request)
    steps = number(asked.get("steps", 20)) or 0
    return steps * (number(asked.get("denoise_strength", 0.6)) or 0) if asked.get("image") else steps
