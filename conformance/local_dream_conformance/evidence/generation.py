"""The events of a generation: their order as one table, and a typed view of a recorded stream.

    START ---progress--> RUNNING ---complete--> DONE
      |                     |  \\--progress--> RUNNING
      \\------error----------+------error------> FAILED

Everything else is a Problem, and TRANSITIONS names it. The view never raises on what a target sent: what cannot be read
is None, and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from local_dream_conformance.core import strict_json
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.json_outline import parse_large
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.views import VIEWS
from local_dream_conformance.http import sse

VALUES = 200_000
"""JSON values that are read of one stream."""


class State(StrEnum):
    """Where a stream stands."""

    START = "start"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Kind(StrEnum):
    """What can come next in a stream."""

    PROGRESS = "progress"
    COMPLETE = "complete"
    ERROR = "error"
    DONE_MARK = "[DONE]"
    """An unnamed event whose data is [DONE], as other APIs end their streams."""
    OTHER = "other"
    """An event of a name that the API does not have."""
    END = "end of stream"


class Problem(StrEnum):
    """What can be wrong with the order of events."""

    NO_EVENTS = "the stream has no event"
    COMPLETE_FIRST = "complete without progress before it"
    NO_TERMINAL = "the stream ends without complete or error"
    PROGRESS_AFTER_TERMINAL = "progress after the terminal event"
    SECOND_TERMINAL = "a second terminal event"
    OTHER_AFTER_TERMINAL = "an event of another name after the terminal event"
    EARLY_DONE_MARK = "[DONE] before the terminal event"


COUNTABLE = 1 << 53
"""Beyond it steps are no numbers to reckon with: the integers that every reader of JSON has exactly end there."""


@dataclass(frozen=True, slots=True)
class Transition:
    """Where the stream goes, and what is wrong with its going there."""

    state: State
    problem: Problem | None = None


TRANSITIONS: Mapping[tuple[State, Kind], Transition] = {
    (State.START, Kind.PROGRESS): Transition(State.RUNNING),
    (State.START, Kind.COMPLETE): Transition(State.DONE, Problem.COMPLETE_FIRST),
    (State.START, Kind.ERROR): Transition(State.FAILED),
    (State.START, Kind.DONE_MARK): Transition(State.START, Problem.EARLY_DONE_MARK),
    (State.START, Kind.OTHER): Transition(State.START),
    (State.START, Kind.END): Transition(State.START, Problem.NO_EVENTS),
    (State.RUNNING, Kind.PROGRESS): Transition(State.RUNNING),
    (State.RUNNING, Kind.COMPLETE): Transition(State.DONE),
    (State.RUNNING, Kind.ERROR): Transition(State.FAILED),
    (State.RUNNING, Kind.DONE_MARK): Transition(State.RUNNING, Problem.EARLY_DONE_MARK),
    (State.RUNNING, Kind.OTHER): Transition(State.RUNNING),
    (State.RUNNING, Kind.END): Transition(State.RUNNING, Problem.NO_TERMINAL),
    (State.DONE, Kind.PROGRESS): Transition(State.DONE, Problem.PROGRESS_AFTER_TERMINAL),
    (State.DONE, Kind.COMPLETE): Transition(State.DONE, Problem.SECOND_TERMINAL),
    (State.DONE, Kind.ERROR): Transition(State.DONE, Problem.SECOND_TERMINAL),
    (State.DONE, Kind.DONE_MARK): Transition(State.DONE),
    (State.DONE, Kind.OTHER): Transition(State.DONE, Problem.OTHER_AFTER_TERMINAL),
    (State.DONE, Kind.END): Transition(State.DONE),
    (State.FAILED, Kind.PROGRESS): Transition(State.FAILED, Problem.PROGRESS_AFTER_TERMINAL),
    (State.FAILED, Kind.COMPLETE): Transition(State.FAILED, Problem.SECOND_TERMINAL),
    (State.FAILED, Kind.ERROR): Transition(State.FAILED, Problem.SECOND_TERMINAL),
    (State.FAILED, Kind.DONE_MARK): Transition(State.FAILED),
    (State.FAILED, Kind.OTHER): Transition(State.FAILED, Problem.OTHER_AFTER_TERMINAL),
    (State.FAILED, Kind.END): Transition(State.FAILED),
}


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A problem in the order of events. `event` is None where it is the end of the stream that came too early."""

    problem: Problem
    event: GenerationEvent | None


@dataclass(frozen=True)
class GenerationEvent:
    """One event with the second in which its last byte arrived, and its data read as strict JSON.

    `payload` is {} where the data is not a JSON object; `parsed.problem` or the type of `parsed.value` says why.
    """

    sse: sse.Event
    at: float
    parsed: strict_json.Parsed

    @property
    def index(self) -> int:
        """Its number in the stream, from 0."""
        return self.sse.index

    @property
    def name(self) -> str:
        """The name on its event: line, "" without one."""
        return self.sse.name

    @property
    def payload(self) -> dict[str, Any]:
        """The JSON object in its data."""
        return self.parsed.value if isinstance(self.parsed.value, dict) else {}

    @property
    def kind(self) -> Kind:
        """What it is to the API: its name decides, as in every client."""
        if self.name in ("progress", "complete", "error"):
            return Kind(self.name)
        return Kind.DONE_MARK if self.sse.data.strip() == "[DONE]" else Kind.OTHER

    @property
    def meaning(self) -> str:
        """What it is meant to be where its event: line is missing, too: progress, complete, error or another name."""
        return sse.meaning(self.sse)

    @property
    def where(self) -> str:
        """Its place, for a finding: number from 1, byte offset, second."""
        return f"event {self.index + 1} (byte {self.sse.start}, {self.at:.3f} s)"

    @property
    def step(self) -> int | None:
        """`step`, where it is an integer that can be counted to."""
        return _counted(self.payload.get("step"))

    @property
    def total_steps(self) -> int | None:
        """`total_steps`, where it is an integer that can be counted to."""
        return _counted(self.payload.get("total_steps"))

    @property
    def image(self) -> str | None:
        """`image`, where it is a string: base64 as sent."""
        image = self.payload.get("image")
        return image if isinstance(image, str) else None


def _counted(value: Any) -> int | None:
    found = integer(value)
    return found if found is None or abs(found) <= COUNTABLE else None


@dataclass(frozen=True)
class GenerationStream:
    """A recorded answer of /generate, read as a stream of events (also where it is none: then there are no events)."""

    exchange: Exchange

    @property
    def is_stream(self) -> bool:
        """Whether the answer says that it is an event stream: status 200 and the media type."""
        return self.exchange.status == 200 and self.exchange.media_type == "text/event-stream"

    @cached_property
    def sse(self) -> sse.Stream:
        """The stream byte by byte, with its oddities."""
        return sse.decode(self.exchange.body if self.exchange.status == 200 else b"")

    @cached_property
    def events(self) -> tuple[GenerationEvent, ...]:
        """All events, in order."""
        found = []
        arrivals = self.exchange.arrivals
        seen, at, room = 0, 0.0, VALUES
        for event in self.sse.events:
            while seen < event.end:  # one pass: Exchange.arrived would walk the reads anew for every event
                arrived = next(arrivals, None)
                if arrived is None:
                    break
                seen, at = seen + arrived[1], arrived[0]
            most = min(strict_json.VALUES, room)
            parsed = parse_large(event.data, most)
            # What was only counted costs nothing.
            room = max(0, room - (0 if parsed.unread and parsed.values > most else parsed.values))
            found.append(GenerationEvent(event, at, parsed))
        return tuple(found)

    @property
    def memory(self) -> int:
        """Bytes that it takes, about: its bytes, its text, and the strings in what is read from that."""
        return self.exchange.size + 2 * self.sse.memory

    @cached_property
    def progress(self) -> tuple[GenerationEvent, ...]:
        """The progress events, in order."""
        return tuple(event for event in self.events if event.kind is Kind.PROGRESS)

    @cached_property
    def terminals(self) -> tuple[GenerationEvent, ...]:
        """All terminal events; there should be one."""
        return tuple(event for event in self.events if event.kind in (Kind.COMPLETE, Kind.ERROR))

    @property
    def terminal(self) -> GenerationEvent | None:
        """The first terminal event."""
        return self.terminals[0] if self.terminals else None

    @property
    def complete(self) -> GenerationEvent | None:
        """The terminal event where it is a complete."""
        return self.terminal if self.terminal and self.terminal.kind is Kind.COMPLETE else None

    @property
    def error(self) -> GenerationEvent | None:
        """The terminal event where it is an error."""
        return self.terminal if self.terminal and self.terminal.kind is Kind.ERROR else None

    @cached_property
    def has_begun(self) -> bool:
        """Whether the server took the generation on, as far as its events are meant to say so."""
        return any(event.meaning in ("progress", "complete") for event in self.events)

    @cached_property
    def end(self) -> GenerationEvent | None:
        """The first event that is meant to end it, also where its event: line is missing."""
        return next((event for event in self.events if event.meaning in ("complete", "error")), None)

    @cached_property
    def previews(self) -> tuple[GenerationEvent, ...]:
        """The progress events that carry a picture (an `image` that is neither missing nor null)."""
        return tuple(event for event in self.progress if event.payload.get("image") is not None)

    @cached_property
    def problems(self) -> tuple[Misplaced, ...]:
        """What is wrong with the order of its events."""
        state, problems = State.START, []
        for event in self.events:
            step = TRANSITIONS[state, event.kind]
            state = step.state
            if step.problem:
                problems.append(Misplaced(step.problem, event))
        last = TRANSITIONS[state, Kind.END]
        if last.problem:
            problems.append(Misplaced(last.problem, None))
        return tuple(problems)


def generation(exchange: Exchange) -> GenerationStream:
    """The view of an exchange; kept while there is room, since many checks look at the same streams."""
    return VIEWS.of(exchange, "generation", GenerationStream, lambda stream: stream.memory)
