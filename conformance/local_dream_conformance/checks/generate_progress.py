"""Checks of the group generate-events: the progress events, and what they count."""

from __future__ import annotations

from collections.abc import Iterator

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.strict_json import integer, number
from local_dream_conformance.evidence.generation import GenerationEvent, GenerationStream
from local_dream_conformance.evidence.selectors import (
    EVERY,
    GENERATIONS,
    completed,
    fields,
    held,
    streams,
    value,
)

PERCENT = 100
"""What `total_steps` is where a server counts in percent, whatever was asked for."""


@check("GEN-EVT-01", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-12"])
def progress_before_complete(context: Context) -> None:
    for stream, complete in completed(context):
        context.expect(
            bool(_running(stream)),
            expected="at least one progress event before complete",
            got="none",
            exchange=stream.exchange,
            at=complete.where,
        )


@check("GEN-EVT-02", needs=["base"], over=EVERY, requires=["GEN-SSE-06", "GEN-SSE-08"])
def progress_has_steps(context: Context) -> None:
    for stream, event in _progress(context):
        for name in ("step", "total_steps"):
            context.expect(
                integer(event.payload.get(name)) is not None,
                expected=f"an integer {name}",
                got=held(event, name),
                exchange=stream.exchange,
                at=event.where,
            )


@check("GEN-EVT-03", needs=["base"], over=EVERY, requires=["GEN-EVT-02"])
def step_within_total(context: Context) -> None:
    for stream, event in _progress(context):
        step, total = event.step or 0, event.total_steps or 0
        context.expect(
            1 <= step <= total,
            expected="1 <= step <= total_steps",
            got=f"step {value(step)} of {value(total)}",
            exchange=stream.exchange,
            at=event.where,
            cause="steps are counted from 0" if step == 0 and total > 0 else "",
        )


@check("GEN-EVT-04", needs=["base"], over=EVERY, requires=["GEN-EVT-02"])
def step_never_decreases(context: Context) -> None:
    last: tuple[GenerationStream, int] | None = None
    for stream, event in _progress(context):
        before = last[1] if last and last[0] is stream else 0
        step = event.step or 0
        context.expect(
            step >= before,
            expected=f"a step of at least {value(before)}, as before",
            got=f"step {value(step)}",
            exchange=stream.exchange,
            at=event.where,
        )
        last = stream, max(before, step)


@check("GEN-EVT-05", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-01", "GEN-EVT-02"])
def last_step_is_total(context: Context) -> None:
    for stream, _ in completed(context):
        for event in _running(stream)[-1:]:
            context.expect(
                event.step == event.total_steps,
                expected="step equal to total_steps in the last progress event before complete",
                got=f"step {value(event.step)} of {value(event.total_steps)}",
                exchange=stream.exchange,
                at=event.where,
                cause="progress bars of clients stop short of their end",
            )


@check("GEN-EVT-06", needs=["base"], over=EVERY, requires=["GEN-EVT-02"])
def total_is_constant(context: Context) -> None:
    first: tuple[GenerationStream, GenerationEvent] | None = None
    for stream, event in _progress(context):
        if first is None or first[0] is not stream:
            first = stream, event
        context.expect(
            event.total_steps == first[1].total_steps,
            expected=f"total_steps {value(first[1].total_steps)}, as in the first progress event",
            got=f"total_steps {value(event.total_steps)}",
            exchange=stream.exchange,
            at=event.where,
        )


@check("GEN-EVT-24", needs=["base"], over=EVERY, requires=["GEN-EVT-02"])
def as_many_steps_as_asked(context: Context) -> None:
    told = 0
    for stream, event in _progress(context):
        asked = fields(stream.exchange.request)
        steps = integer(asked.get("steps"))
        if steps is None or (asked.get("image") and number(asked.get("denoise_strength")) != 1):
            continue
        told += 1
        context.expect(
            (event.total_steps or 0) >= min(steps, PERCENT),
            expected=f"total_steps of {min(steps, PERCENT)} or more: as many as were asked for, or percent",
            got=f"total_steps {value(event.total_steps)}",
            exchange=stream.exchange,
            at=event.where,
            cause="fewer steps are made than were asked for?",
        )
    if not told:
        raise MissingEvidence("no request said how many steps it wants and left none out")


def _progress(context: Context) -> Iterator[tuple[GenerationStream, GenerationEvent]]:
    found = False
    for stream in streams(context, *EVERY):
        for event in _running(stream):
            found = True
            yield stream, event
    if not found:
        raise MissingEvidence("no stream has a progress event")


def _running(stream: GenerationStream) -> list[GenerationEvent]:
    """The progress events before the terminal one; that there is none after it is a requirement of its own."""
    last = stream.terminal
    return [event for event in stream.progress if last is None or event.index < last.index]
