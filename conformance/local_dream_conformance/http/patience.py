"""How long an exchange may take at each of its stages, so that a run spends its time only where a server does work.

A phone thinks long before the first event of a generation, and before the answer to an upscale. Nothing else takes
long: a refusal is made at once, an answer whose end has been said ends, bytes that are no whole request get no answer.
What waits for work is bounded by the settings (`--idle-timeout`), everything else by what stands here.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from local_dream_conformance.core.exchange import GENERATE, UPSCALE, End, Exchange
from local_dream_conformance.http import sse
from local_dream_conformance.http.transport import Deadline, ExchangeEnded

STALLS = 2
"""After so many requests of a kind that got no answer in time no other of that kind is sent in the run."""
AGAIN = 30.0
"""Seconds that work gets where some of it has stalled before."""
PINGED = 1.5
"""So many times longer a first event is waited for where bytes come that are none, such as pings of a queue."""
HURRIED = 0.1
"""Share of the usual time that an answer gets to end where STALLS others were left open: that is known then."""
LESS = 4
"""The bytes that are read of an answer are divided by this, once one was longer."""
NAME = 1000
"""Characters of an event's name that are read."""
GAVE_UP = (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT)


class Kind(StrEnum):
    """What a request asks of the target."""

    WORK = "work"
    """A generation or an upscale."""
    REFUSAL = "refusal"
    """The same with a mistake in it, so that it is to be refused at once."""
    QUICK = "quick"
    """What starts no work: /health, paths that are not there."""
    BYTES = "bytes"
    """What need not be a whole request, so that the server may rightly wait for the rest of it."""


@dataclass(frozen=True)
class Limits:
    """What an exchange may take. Times in seconds.

    Bytes: `size` of an answer to work, `small` of any other, `event` of one event, `run` of all answers together (each
    of them gets `small` in any case). `reads` is in pieces, `events` in events of a stream.

    `idle`: without an event, where work is awaited. `total`: in all. `brief`: until an answer that takes no work;
    twice the longest generation so far where that is longer, at most `brief_most`. `unread`: until an answer to bytes
    that may be half a request. `ending`: from the terminal event, or from the head of a refusal, to the end. `between`:
    from one step to the next, ten times the longest so far where that is longer. `lull`: without a byte in a body that
    is no stream, and in a request that the server does not read. `rate`: bytes in a second below which nothing counts
    as arriving. None is longer than `idle`.
    """

    idle: float = 120.0
    total: float = 900.0
    size: int = 64 << 20
    reads: int = 100_000
    small: int = 1 << 20
    event: int = 4 << 20
    events: int = 10_000
    run: int = 1 << 30
    brief: float = 10.0
    brief_most: float = 60.0
    unread: float = 5.0
    ending: float = 5.0
    between: float = 60.0
    lull: float = 20.0
    rate: float = 8192.0

    def capped(self, seconds: float) -> float:
        """At most `idle`."""
        return min(seconds, self.idle)

    def longest(self, kind: Kind) -> float:
        """What an exchange may take in all. What starts no work is waited for in three stages; of anything else the
        target may make a stream, which it may draw out."""
        if kind is not Kind.QUICK:
            return self.total
        return min(self.total, self.capped(self.lull) + self.capped(self.brief_most) + self.capped(self.ending))


class Patience:
    """What a target has shown of its speed in this run, and how long it is therefore waited for. For all threads."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.kept = 0
        """Bytes of answers that the run has so far."""
        self._lock = threading.Lock()
        self._longest = 0.0
        self._stalls: Counter[tuple[Kind, str]] = Counter()
        self._left_open = 0
        self._flooded = False

    def room(self) -> int:
        """Bytes that the suite reads of an answer to work: fewer from a target that has sent more than it reads, since
        many such answers are held at a time."""
        most = self.limits.size // LESS if self._flooded else self.limits.size
        return max(self.limits.small, min(most, self.limits.run - self.kept))

    def has_stalled(self, kind: Kind, operation: str) -> bool:
        """Whether the target has left so many requests of this kind without an answer that no other is worth it."""
        return self._stalls[kind, operation] >= STALLS

    def stalls_left(self, kind: Kind, operation: str) -> int:
        """How many more requests of this kind may go without an answer before no other is sent."""
        return max(0, STALLS - self._stalls[kind, operation])

    def answer(self, kind: Kind) -> float:
        """Seconds from the end of the request to the head of its answer."""
        limits = self.limits
        if kind is Kind.WORK:
            stalled = any(self._stalls[Kind.WORK, operation] for operation in (GENERATE, UPSCALE))
            return limits.capped(AGAIN) if stalled else limits.idle
        if kind is Kind.BYTES:
            return limits.capped(limits.unread)
        return limits.capped(min(limits.brief_most, max(limits.brief, 2 * self._longest)))

    def first_event(self) -> float:
        """Seconds from the head of a stream to its first event; bytes that are none get it PINGED times as much."""
        return self.answer(Kind.WORK)

    def ending(self) -> tuple[float, bool]:
        """Seconds for an answer to end that took no work, and whether it is known that they do not."""
        hurried = self._left_open >= STALLS
        usual = self.limits.capped(self.limits.ending)
        return (HURRIED * usual if hurried else usual), hurried

    def learn(self, kind: Kind, exchange: Exchange, *, ended: bool) -> None:
        """What an exchange shows. `ended`: the terminal event came."""
        gave_up = exchange.end in GAVE_UP
        with self._lock:
            self.kept += exchange.size
            self._flooded = self._flooded or (exchange.status == 200 and exchange.end is End.TOO_LARGE)
            if ended and exchange.operation == GENERATE:
                self._longest = max(self._longest, exchange.ended_at)
            answered = exchange.status is not None and (exchange.status != 200 or kind is Kind.QUICK or ended)
            if gave_up and answered and kind is not Kind.WORK:
                self._left_open += 1
            slow = kind is Kind.REFUSAL and exchange.status != 200 and exchange.ended_at > self.limits.brief
            if (gave_up and not answered) or slow:
                self._stalls[kind, exchange.operation] += 1


class Watch:
    """One exchange: what stage it is at, which sets its deadline."""

    def __init__(self, patience: Patience, kind: Kind) -> None:
        self.deadline = Deadline(patience.limits.total)
        self.kind = kind
        self.ended = False
        """Whether the terminal event of a stream has come."""
        self.most = patience.limits.small
        """Bytes that the suite reads of the answer."""
        self._patience = patience
        self._limits = patience.limits
        self._decoder: sse.Decoder | None = None
        self._at = 0.0
        self._bytes = 0
        self._step = -1
        self._between = 0.0

    def sends(self, size: int) -> None:
        """The request, of `size` bytes, is sent from now on."""
        lull = self._limits.capped(self._limits.lull)
        self.deadline.enter(lull, lull + size / self._limits.rate, "the server did not read the request")

    def waits(self) -> None:
        """The request is sent: its answer is awaited."""
        wait = self._patience.answer(self.kind)
        self.deadline.enter(wait, wait, "no answer came")

    def begins(self, status: int, media_type: str) -> None:
        """The head of the answer has come."""
        if status == 200 and self.kind is not Kind.QUICK:
            self.most = self._patience.room()
        lull = self._limits.capped(self._limits.lull)
        if status != 200 or self.kind is Kind.QUICK:
            self._refuses("the answer")
        elif media_type == sse.MEDIA_TYPE:
            wait = self._patience.first_event()
            self._decoder = sse.Decoder(keeps=False)
            self.deadline.enter(wait, PINGED * wait, "no event came")
        else:
            self.deadline.enter(lull, lull, "the answer did not end")

    def receives(self, piece: bytes) -> None:
        """A piece of the body has come. Raises ExchangeEnded where the suite reads no more of such a stream."""
        self._bytes += len(piece)
        if self._decoder is None:
            if not self.deadline.is_last:
                self.deadline.extend(self._limits.capped(self._limits.lull) + self._bytes / self._limits.rate)
            return
        for event in self._decoder.feed(piece):
            if not self.ended:
                self._event(event)
        self._mind(self._decoder)
        if self._between and not self.ended:
            self.deadline.extend(self._between + self._bytes / self._limits.rate)

    def _mind(self, decoder: sse.Decoder) -> None:
        """Raises ExchangeEnded where the stream is more than the suite would hold in memory."""
        limits, kept = self._limits, decoder.kept
        said = ""
        if kept.events > limits.events:
            said = f"{limits.events} events of a stream"
        elif decoder.is_full:
            said = f"{sse.LINES_READ} lines of a stream"
        elif kept.longest_name > NAME:
            said = f"{NAME} characters of an event's name"
        elif kept.longest > limits.event:
            said = f"{limits.event} bytes of an event"
        elif kept.memory > self.most:
            said = f"{self.most} bytes of text in a stream"
        if said:
            raise ExchangeEnded(End.TOO_LARGE, f"the suite reads no more than {said}")

    def _event(self, event: sse.Event) -> None:
        meaning = sse.meaning(event)
        if meaning in ("complete", "error"):
            self.ended = True
            if meaning == "error" and not self._between:
                self._refuses("the stream")
            else:
                ending = self._limits.capped(self._limits.ending)
                self.deadline.enter(ending, ending, f"the stream was not ended after {meaning}")
                self.deadline.is_last = True
        elif meaning == "progress" and self._advances(event):
            now = self.deadline.elapsed
            shortest = self._limits.between if not self._between else max(self._between, 10 * (now - self._at))
            self._between = self._limits.capped(shortest)
            self._at, self._bytes = now, 0
            self.deadline.enter(self._between, self._between, "no further step came")

    def _advances(self, event: sse.Event) -> bool:
        """Whether a progress event is of a later step than those before it, or of none that can be read."""
        step = sse.step(event)
        advances = step is None or step > self._step
        self._step = max(self._step if step is None else step, self._step)
        return advances

    def _refuses(self, what: str) -> None:
        seconds, hurried = self._patience.ending()
        self.deadline.enter(seconds, seconds, f"{what} was not ended")
        self.deadline.is_last, self.deadline.hangs_up = True, hurried
