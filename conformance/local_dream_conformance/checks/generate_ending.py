"""Checks of the group generate-events: how a stream ends, and what the event that ends it says."""

from __future__ import annotations

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import GENERATE, End
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import GenerationEvent, GenerationStream, Problem, generation
from local_dream_conformance.evidence.selectors import (
    ALONE,
    EVERY,
    GENERATIONS,
    completed,
    ended,
    ending,
    fields,
    held,
    outcome,
    streams,
    value,
)

SLACK = (0.05, 0.05)
"""Seconds, and share, by which a reported time may exceed the time that the client saw: clocks and rounding."""
LONG_WORK = 0.15
"""Seconds between the first and the last progress event from which on they tell how long the work took."""
PIECES = 3
"""Reads for an event, at most, where the wire is not slower than the work."""
HONEST = 0.5
"""Share of that time which a reported time must have at least."""
HELD_UP, HELD_UP_SHARE = 0.5, 0.1
"""Seconds by which a busy machine may hold up what a client sees, where a reported time has this share of it at
least: seconds in place of milliseconds, and times that are not taken, have less."""


@check("GEN-EVT-12", needs=["base"], over=ALONE, requires=["GEN-SSE-01", "GEN-SSE-06", "GEN-SSE-10"])
def one_terminal_event(context: Context) -> None:
    for stream in ended(context, *ALONE):
        wrong = [
            misplaced
            for misplaced in stream.problems
            if misplaced.problem in (Problem.NO_EVENTS, Problem.NO_TERMINAL, Problem.SECOND_TERMINAL)
        ]
        first = wrong[0] if wrong else None
        cut = stream.exchange.end not in (End.COMPLETE, End.EOF)
        context.expect(
            first is None,
            expected="exactly one complete or error",
            got="" if first is None else f"{first.problem} ({ending(stream.exchange)})",
            exchange=stream.exchange,
            at=_last_place(stream) if first is None or first.event is None else first.event.where,
            cause=escape(stream.exchange.detail) if cut else "",
        )


@check("GEN-EVT-13", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-12"])
def nothing_after_terminal(context: Context) -> None:
    for stream in ended(context):
        if stream.terminal is None:
            continue
        late = next((m.event for m in stream.problems if m.problem is Problem.PROGRESS_AFTER_TERMINAL), None)
        context.expect(
            late is None,
            expected=f"nothing after {stream.terminal.name}",
            got="a progress event",
            exchange=stream.exchange,
            at=late.where if late else "",
        )


@check("GEN-EVT-14", needs=["base"], over=EVERY, requires=["GEN-EVT-12"])
def body_ends_after_terminal(context: Context) -> None:
    for stream in ended(context, *EVERY):
        exchange, last = stream.exchange, stream.terminal
        if last is None:
            continue
        waited = f"{exchange.ended_at - last.at:.1f} s after {last.name}"
        open_still = exchange.end in (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT, End.TOO_LARGE)
        context.expect(
            exchange.end in (End.COMPLETE, End.EOF),
            expected=f"the end of the body after {last.name}",
            got=f"open still {waited}, when the suite hung up" if open_still else f"{ending(exchange)}, {waited}",
            exchange=exchange,
            at=last.where,
            cause="" if open_still else "the connection is torn down without a last chunk",
        )


@check("GEN-EVT-15", needs=["base"], over=GENERATIONS, requires=["GEN-SSE-08", "GEN-EVT-12"])
def complete_has_fields(context: Context) -> None:
    base = generation(context["base"])
    context.expect(
        base.complete is not None,
        expected="a complete event: the request is valid",
        got=outcome(base.exchange),
        exchange=base.exchange,
        at=base.terminal.where if base.terminal else "",
    )
    for stream in streams(context):
        if stream.complete is None:
            continue
        image = stream.complete.payload.get("image")
        context.expect(
            isinstance(image, str),
            expected="image, a string",
            got=held(stream.complete, "image"),
            exchange=stream.exchange,
            at=stream.complete.where,
        )
        for name in ("seed", "width", "height", "generation_time_ms"):
            context.expect(
                integer(stream.complete.payload.get(name)) is not None,
                expected=f"{name}, an integer",
                got=held(stream.complete, name),
                exchange=stream.exchange,
                at=stream.complete.where,
            )


@check("GEN-EVT-16", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-15"])
def complete_has_more_fields(context: Context) -> None:
    for stream, complete in completed(context):
        context.expect(
            integer(complete.payload.get("channels")) == 3,
            expected="channels 3",
            got=held(complete, "channels"),
            exchange=stream.exchange,
            at=complete.where,
        )
        said = integer(complete.payload.get("first_step_time_ms"))
        limit = _longest_ms(complete)
        context.expect(
            said is not None and 0 <= said <= limit,
            expected=f"first_step_time_ms, an integer of 0 to {complete.at * 1000:.0f}, what the client waited",
            got=held(complete, "first_step_time_ms"),
            exchange=stream.exchange,
            at=complete.where,
            cause="another unit than milliseconds?" if said is not None and said > limit else "",
        )


def _longest_ms(complete: GenerationEvent) -> float:
    """What a time in complete may be: as long as the client waited, by clocks that are read at different moments."""
    return max(complete.at + SLACK[0], complete.at * (1 + SLACK[1])) * 1000


@check("GEN-EVT-17", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-15"])
def time_is_plausible(context: Context) -> None:
    for stream, complete in completed(context):
        said = integer(complete.payload.get("generation_time_ms")) or 0
        limit = _longest_ms(complete)
        context.expect(
            0 <= said <= limit,
            expected=f"generation_time_ms of 0 to {complete.at * 1000:.0f}, the time that the client waited",
            got=value(said),
            exchange=stream.exchange,
            at=complete.where,
            cause="another unit than milliseconds?" if said > 100 * limit else "",
        )


@check("GEN-EVT-22", needs=["base"], over=ALONE, requires=["GEN-EVT-17", "GEN-EVT-07"])
def time_is_honest(context: Context) -> None:
    """Of all generations, since a network that holds back the end of one makes its work look longer."""
    judged = [
        (stream, complete, stream.progress[-1].at - stream.progress[0].at)
        for stream, complete in completed(context, *ALONE)
        if stream.progress and not stream.previews
    ]
    # Events that come in pieces say how slow the wire is, and not how long the work took.
    judged = [
        one for one in judged if one[2] >= LONG_WORK and len(one[0].exchange.reads) <= PIECES * len(one[0].events)
    ]
    if not judged:
        context.not_applicable(f"the steps of no generation without previews took {LONG_WORK * 1000:.0f} ms")
    said = [integer(complete.payload.get("generation_time_ms")) or 0 for _, complete, _ in judged]
    told = any(_is_honest(time / 1000, work) for time, (_, _, work) in zip(said, judged, strict=True))
    for time, (stream, complete, work) in zip(said, judged, strict=True):
        context.expect(
            told,
            expected=f"generation_time_ms of about {work * 1000:.0f} or more: so long did the progress events come",
            got=value(time),
            exchange=stream.exchange,
            at=complete.where,
            cause="seconds in place of milliseconds?" if 0 < time * 100 < work * 1000 else "",
        )


def _is_honest(said: float, work: float) -> bool:
    """Whether a time of so many seconds may be that of work whose events lie so many seconds apart."""
    return said >= HONEST * work or (said >= HELD_UP_SHARE * work and said >= work - HELD_UP)


@check("GEN-EVT-18", needs=["base", "refuse"], over=EVERY, requires=["GEN-SSE-06", "GEN-SSE-08"])
def error_has_message(context: Context) -> None:
    failed = [(stream, stream.error) for stream in streams(context, *EVERY)]
    for stream, error in failed:
        if error is not None:
            message = error.payload.get("message")
            context.expect(
                isinstance(message, str) and bool(message.strip()),
                expected="message, a string that is not empty",
                got=held(error, "message"),
                exchange=stream.exchange,
                at=error.where,
            )
    if not any(error for _, error in failed):
        context.not_applicable("no stream ended with an error event")


@check("GEN-EVT-19", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-15"])
def seed_is_echoed(context: Context) -> None:
    seeded = [
        (stream, complete, sent)
        for stream, complete in completed(context)
        if (sent := integer(fields(stream.exchange.request).get("seed"))) is not None
    ]
    if not seeded:
        raise MissingEvidence("no generation with a seed in its request came to complete")
    for stream, complete, sent in seeded:
        echoed = integer(complete.payload.get("seed"))
        cause = "the seed is held in 32 bits with a sign?" if sent >= 2**31 else ""
        for other in context.beside(stream.exchange):
            if echoed is not None and echoed == integer(fields(other.request).get("seed")):
                cause = f"it is the seed of {other.label}, which ran at the same time: they share their state"
        context.expect(
            echoed == sent,
            expected=f"seed {sent}, as sent",
            got=held(complete, "seed"),
            exchange=stream.exchange,
            at=complete.where,
            cause=cause,
        )


@check("GEN-EVT-20", needs=["base", "refuse"], over=EVERY, requires=["GEN-SSE-01"])
def status_tells_failure(context: Context) -> None:
    for exchange in context.starting(*EVERY):
        if exchange.operation != GENERATE or exchange.status is None:
            continue
        held = context.expect(
            exchange.status == 200 or 400 <= exchange.status < 600,
            expected="status 200 with a stream, or an error status",
            got=f"status {exchange.status}",
            exchange=exchange,
        )
        if held and exchange.status == 200:
            context.expect(
                exchange.media_type == "text/event-stream",
                expected="a stream, since the status is 200",
                got=outcome(exchange),
                exchange=exchange,
                cause="a failure that is answered with status 200?",
            )


def _last_place(stream: GenerationStream) -> str:
    return stream.events[-1].where if stream.events else f"{stream.exchange.ended_at:.3f} s"
