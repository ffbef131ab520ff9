"""Checks of the group generate-events: which events come, in which order and when, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from conformance.check import Case, MissingEvidence, check
from conformance.escape import escape
from conformance.events import GenerationEvent, GenerationStream, Problem, generation
from conformance.evidence import (
    ALONE,
    EVERY,
    GENERATIONS,
    completed,
    ended,
    fields,
    is_generate,
    outcome,
    streams,
    value,
)
from conformance.strict_json import integer, number
from conformance.transcript import End

TOO_FAST = 0.2
"""Seconds of work below which events that come together prove nothing: so long can a busy machine hold reads back."""
SPREAD = 0.25
"""Share of the work after the first step over which the events must be spread; an honest server comes near 1."""
SLACK = (0.05, 0.05)
"""Seconds, and share, by which a reported time may exceed the time that the client saw: clocks and rounding."""


@check("GEN-EVT-01", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-12"])
def progress_before_complete(case: Case) -> None:
    for stream, complete in completed(case):
        case.expect(
            bool(_running(stream)),
            expected="at least one progress event before complete",
            got="none",
            exchange=stream.exchange,
            at=complete.where,
        )


@check("GEN-EVT-02", needs=["base"], over=EVERY, requires=["GEN-SSE-06", "GEN-SSE-08"])
def progress_has_steps(case: Case) -> None:
    for stream, event in _progress(case):
        for name in ("step", "total_steps"):
            case.expect(
                integer(event.payload.get(name)) is not None,
                expected=f"an integer {name}",
                got=_held(event, name),
                exchange=stream.exchange,
                at=event.where,
            )


@check("GEN-EVT-03", needs=["base"], over=EVERY, requires=["GEN-EVT-02"])
def step_within_total(case: Case) -> None:
    for stream, event in _progress(case):
        step, total = event.step or 0, event.total_steps or 0
        case.expect(
            1 <= step <= total,
            expected="1 <= step <= total_steps",
            got=f"step {value(step)} of {value(total)}",
            exchange=stream.exchange,
            at=event.where,
            cause="steps are counted from 0" if step == 0 and total > 0 else "",
        )


@check("GEN-EVT-04", needs=["base"], over=EVERY, requires=["GEN-EVT-02"])
def step_never_decreases(case: Case) -> None:
    last: tuple[GenerationStream, int] | None = None
    for stream, event in _progress(case):
        before = last[1] if last and last[0] is stream else 0
        step = event.step or 0
        case.expect(
            step >= before,
            expected=f"a step of at least {value(before)}, as before",
            got=f"step {value(step)}",
            exchange=stream.exchange,
            at=event.where,
        )
        last = stream, max(before, step)


@check("GEN-EVT-05", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-01", "GEN-EVT-02"])
def last_step_is_total(case: Case) -> None:
    for stream, _ in completed(case):
        for event in _running(stream)[-1:]:
            case.expect(
                event.step == event.total_steps,
                expected="step equal to total_steps in the last progress event before complete",
                got=f"step {value(event.step)} of {value(event.total_steps)}",
                exchange=stream.exchange,
                at=event.where,
                cause="progress bars of clients stop short of their end",
            )


@check("GEN-EVT-06", needs=["base"], over=EVERY, requires=["GEN-EVT-02"])
def total_is_constant(case: Case) -> None:
    first: tuple[GenerationStream, GenerationEvent] | None = None
    for stream, event in _progress(case):
        if first is None or first[0] is not stream:
            first = stream, event
        case.expect(
            event.total_steps == first[1].total_steps,
            expected=f"total_steps {value(first[1].total_steps)}, as in the first progress event",
            got=f"total_steps {value(event.total_steps)}",
            exchange=stream.exchange,
            at=event.where,
        )


@check("GEN-EVT-07", needs=["base"], over=ALONE, requires=["GEN-EVT-01", "GEN-EVT-15"])
def events_arrive_in_time(case: Case) -> None:
    measured = [
        (stream, *_spread(stream, complete)) for stream, complete in completed(case, *ALONE) if _steps_done(stream) >= 3
    ]
    # The first generation of a server may load its model before the first step: others tell more.
    judged = [one for one in measured if one[0].exchange.label != "base"] or measured
    if not judged:
        raise MissingEvidence("no generation had three steps or more")
    told = 0
    for stream, work, waited, spread in judged:
        in_time = spread >= SPREAD * waited > 0
        if in_time or waited >= TOO_FAST:
            told += 1
            case.expect(
                in_time,
                expected=f"progress events spread over the {work * 1000:.0f} ms of work",
                got=f"all of them within the last {spread * 1000:.0f} ms before complete",
                exchange=stream.exchange,
                at=stream.progress[0].where,
                cause="the server or a proxy before it holds events back: flush after each event",
            )
    if not told:
        longest = max(waited for _, _, waited, _ in judged)
        case.not_applicable(f"the steps of the longest generation took {longest * 1000:.0f} ms: too fast to tell")


@check("GEN-EVT-08", needs=["defaults"], over=GENERATIONS, requires=["GEN-EVT-12"])
def no_previews_unasked(case: Case) -> None:
    quiet = [s for s in streams(case) if fields(s.exchange.request).get("show_diffusion_process") is False]
    if not quiet:
        raise MissingEvidence("no request with show_diffusion_process false was answered with a stream")
    for stream in quiet:
        expect_no_previews(case, stream)


def expect_no_previews(case: Case, stream: GenerationStream) -> None:
    """Expects that no progress event of a stream carries a picture."""
    shown = stream.previews
    case.expect(
        not shown,
        expected="no image in progress events",
        got=f"image in {len(shown)} of {len(stream.progress)} progress events",
        exchange=stream.exchange,
        at=shown[0].where if shown else "",
    )


@check("GEN-EVT-09", needs=["base", "overlap"], over=GENERATIONS, requires=["GEN-EVT-12"])
def stride_thins_previews(case: Case) -> None:
    asked = list(_asked_for_previews(case))
    if not any(stream.previews for stream, _, _ in asked):
        case.not_applicable("the server sends no previews")
    pairs = [
        (thin, stride, dense)
        for thin, stride, steps in asked
        for dense, one, others in asked
        if stride > 1 and one == 1 and steps == others
    ]
    if not pairs:
        raise MissingEvidence("no two generations with previews differ in show_diffusion_stride alone")
    for thin, stride, dense in pairs:
        case.expect(
            len(thin.previews) <= len(dense.previews),
            expected=f"at most {len(dense.previews)} previews with stride {stride}, as many as with stride 1",
            got=f"{len(thin.previews)}",
            exchange=thin.exchange,
        )


@check("GEN-EVT-10", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-12"])
def previews_where_asked(case: Case) -> None:
    for stream, _, _ in _asked_for_previews(case):
        case.expect(
            bool(stream.previews),
            expected="image in at least one progress event, since show_diffusion_process is true",
            got=f"none in {len(stream.progress)} progress events",
            exchange=stream.exchange,
        )


@check("GEN-EVT-11", needs=["base", "overlap"], over=GENERATIONS, requires=["GEN-EVT-10"])
def previews_at_stride(case: Case) -> None:
    for stream, stride, steps in _asked_for_previews(case):
        wanted = ceil(steps / stride)
        held = case.expect(
            len(stream.previews) == wanted,
            expected=f"{wanted} previews ({steps} steps, stride {stride})",
            got=f"{len(stream.previews)}",
            exchange=stream.exchange,
        )
        numbers = [event.step for event in stream.progress]
        if held and numbers == list(range(1, steps + 1)):  # step numbers are denoising steps: their places can be seen
            places = [event.step for event in stream.previews]
            case.expect(
                places == list(range(1, steps + 1, stride)),
                expected=f"previews at the steps {', '.join(map(str, range(1, steps + 1, stride)))}",
                got=", ".join(map(str, places)),
                exchange=stream.exchange,
                at=stream.previews[0].where,
            )


@check("GEN-EVT-12", needs=["base"], over=ALONE, requires=["GEN-SSE-01", "GEN-SSE-06", "GEN-SSE-10"])
def one_terminal_event(case: Case) -> None:
    for stream in ended(case, *ALONE):
        wrong = [
            misplaced
            for misplaced in stream.problems
            if misplaced.problem in (Problem.NO_EVENTS, Problem.NO_TERMINAL, Problem.SECOND_TERMINAL)
        ]
        first = wrong[0] if wrong else None
        cut = stream.exchange.end not in (End.COMPLETE, End.EOF)
        case.expect(
            first is None,
            expected="exactly one complete or error",
            got="" if first is None else f"{first.problem} (the exchange ended: {stream.exchange.end})",
            exchange=stream.exchange,
            at=_last_place(stream) if first is None or first.event is None else first.event.where,
            cause=escape(stream.exchange.detail) if cut else "",
        )


@check("GEN-EVT-13", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-12"])
def nothing_after_terminal(case: Case) -> None:
    for stream in ended(case):
        if stream.terminal is None:
            continue
        late = next((m.event for m in stream.problems if m.problem is Problem.PROGRESS_AFTER_TERMINAL), None)
        case.expect(
            late is None,
            expected=f"nothing after {stream.terminal.name}",
            got="a progress event",
            exchange=stream.exchange,
            at=late.where if late else "",
        )


@check("GEN-EVT-14", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-12"])
def body_ends_after_terminal(case: Case) -> None:
    for stream in ended(case):
        exchange, last = stream.exchange, stream.terminal
        if last is None:
            continue
        open_still = exchange.end in (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT, End.TOO_LARGE)
        case.expect(
            exchange.end in (End.COMPLETE, End.EOF),
            expected=f"the end of the body after {last.name}",
            got=f"{exchange.end}, {exchange.ended_at - last.at:.1f} s after {last.name}",
            exchange=exchange,
            at=last.where,
            cause="the connection is kept open" if open_still else "the connection is torn down without a last chunk",
        )


@check("GEN-EVT-15", needs=["base"], over=GENERATIONS, requires=["GEN-SSE-08", "GEN-EVT-12"])
def complete_has_fields(case: Case) -> None:
    base = generation(case["base"])
    case.expect(
        base.complete is not None,
        expected="a complete event: the request is valid",
        got=outcome(base.exchange),
        exchange=base.exchange,
        at=base.terminal.where if base.terminal else "",
    )
    for stream in streams(case):
        if stream.complete is None:
            continue
        image = stream.complete.payload.get("image")
        case.expect(
            isinstance(image, str),
            expected="image, a string",
            got=_held(stream.complete, "image"),
            exchange=stream.exchange,
            at=stream.complete.where,
        )
        for name in ("seed", "width", "height", "generation_time_ms"):
            case.expect(
                integer(stream.complete.payload.get(name)) is not None,
                expected=f"{name}, an integer",
                got=_held(stream.complete, name),
                exchange=stream.exchange,
                at=stream.complete.where,
            )


@check("GEN-EVT-16", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-15"])
def complete_has_more_fields(case: Case) -> None:
    for stream, complete in completed(case):
        case.expect(
            integer(complete.payload.get("channels")) == 3,
            expected="channels 3",
            got=_held(complete, "channels"),
            exchange=stream.exchange,
            at=complete.where,
        )
        case.expect(
            integer(complete.payload.get("first_step_time_ms")) is not None,
            expected="first_step_time_ms, an integer",
            got=_held(complete, "first_step_time_ms"),
            exchange=stream.exchange,
            at=complete.where,
        )


@check("GEN-EVT-17", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-15"])
def time_is_plausible(case: Case) -> None:
    for stream, complete in completed(case):
        said = integer(complete.payload.get("generation_time_ms")) or 0
        limit = max(complete.at + SLACK[0], complete.at * (1 + SLACK[1])) * 1000
        case.expect(
            0 <= said <= limit,
            expected=f"generation_time_ms of 0 to {complete.at * 1000:.0f}, the time that the client waited",
            got=value(said),
            exchange=stream.exchange,
            at=complete.where,
            cause="another unit than milliseconds?" if said > 100 * limit else "",
        )


@check("GEN-EVT-18", needs=["base", "refuse"], over=EVERY, requires=["GEN-SSE-06", "GEN-SSE-08"])
def error_has_message(case: Case) -> None:
    failed = [(stream, stream.error) for stream in streams(case, *EVERY)]
    for stream, error in failed:
        if error is not None:
            message = error.payload.get("message")
            case.expect(
                isinstance(message, str) and bool(message.strip()),
                expected="message, a string that is not empty",
                got=_held(error, "message"),
                exchange=stream.exchange,
                at=error.where,
            )
    if not any(error for _, error in failed):
        case.not_applicable("no stream ended with an error event")


@check("GEN-EVT-19", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-15"])
def seed_is_echoed(case: Case) -> None:
    seeded = [
        (stream, complete, sent)
        for stream, complete in completed(case)
        if (sent := integer(fields(stream.exchange.request).get("seed"))) is not None
    ]
    if not seeded:
        raise MissingEvidence("no generation with a seed in its request came to complete")
    for stream, complete, sent in seeded:
        case.expect(
            integer(complete.payload.get("seed")) == sent,
            expected=f"seed {sent}, as sent",
            got=_held(complete, "seed"),
            exchange=stream.exchange,
            at=complete.where,
            cause="the seed is held in 32 bits with a sign" if sent >= 2**31 else "",
        )


@check("GEN-EVT-20", needs=["base", "refuse"], over=EVERY, requires=["GEN-SSE-01"])
def status_tells_failure(case: Case) -> None:
    for exchange in case.starting(*EVERY):
        if not is_generate(exchange) or exchange.status is None:
            continue
        held = case.expect(
            exchange.status == 200 or 400 <= exchange.status < 600,
            expected="status 200 with a stream, or an error status",
            got=f"status {exchange.status}",
            exchange=exchange,
        )
        if held and exchange.status == 200:
            case.expect(
                exchange.media_type == "text/event-stream",
                expected="a stream, since the status is 200",
                got=outcome(exchange),
                exchange=exchange,
                cause="a failure that is answered with status 200",
            )


def _progress(case: Case) -> Iterator[tuple[GenerationStream, GenerationEvent]]:
    found = False
    for stream in streams(case, *EVERY):
        for event in _running(stream):
            found = True
            yield stream, event
    if not found:
        raise MissingEvidence("no stream has a progress event")


def _running(stream: GenerationStream) -> list[GenerationEvent]:
    """The progress events before the terminal one; that there is none after it is a requirement of its own."""
    last = stream.terminal
    return [event for event in stream.progress if last is None or event.index < last.index]


def _held(event: GenerationEvent, name: str) -> str:
    """What the data of an event has under a name."""
    return value(event.payload[name]) if name in event.payload else f"no {name}"


def _last_place(stream: GenerationStream) -> str:
    return stream.events[-1].where if stream.events else f"{stream.exchange.ended_at:.3f} s"


def _steps_done(stream: GenerationStream) -> float:
    """About how many denoising steps a request asks for: with an image, strength times steps."""
    asked = fields(stream.exchange.request)
    steps = number(asked.get("steps", 20)) or 0
    return steps * (number(asked.get("denoise_strength", 0.6)) or 0) if asked.get("image") else steps


def _spread(stream: GenerationStream, complete: GenerationEvent) -> tuple[float, float, float]:
    """In seconds: the work of a generation, the part of it after its first step, and from first progress to complete.

    The work is what the server reports, at most what the client waited (a queue is no work). What was spent before the
    first step (loading, reading the prompt) cannot show in progress events, so it is left out where the server says
    how long it was, up to nine tenths.
    """
    said = number(complete.payload.get("generation_time_ms")) or 0
    work = max(0.0, min(complete.at, said / 1000 if said > 0 else complete.at))
    before = (number(complete.payload.get("first_step_time_ms")) or 0) / 1000
    waited = work - min(max(0.0, before), 0.9 * work)
    first = stream.progress[0].at if stream.progress else complete.at
    return work, waited, complete.at - first


def _asked_for_previews(case: Case) -> Iterator[tuple[GenerationStream, int, int]]:
    """Complete streams without `image` in the request that should show previews, with their stride and steps."""
    found = False
    for stream, _ in completed(case):
        asked = fields(stream.exchange.request)
        steps, stride = integer(asked.get("steps")), integer(asked.get("show_diffusion_stride", 1))
        if asked.get("show_diffusion_process") is True and not asked.get("image") and steps and stride:
            found = True
            yield stream, stride, steps
    if not found:
        raise MissingEvidence("no generation was asked for previews")
