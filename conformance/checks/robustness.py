"""Checks of the group robustness: overlapping clients, clients that hang up, unusual but legal HTTP, and garbage."""

from __future__ import annotations

from conformance import envelope
from conformance.acceptance import (
    BUSY,
    NEEDED,
    accepted,
    expect_status,
    expect_taken,
    present,
    reached,
    unless_absent,
)
from conformance.check import Case, MissingEvidence, check
from conformance.escape import escape
from conformance.events import GenerationStream, generation
from conformance.evidence import outcome, picture
from conformance.pictures import contrast
from conformance.transcript import End, Exchange

STEPS_TO_NOTICE = 3
"""A server looks for a client that is gone once a step; the first step of the next run is one more."""
LEAST_SECONDS = 0.5
"""What networks and schedulers may add, whatever the server does."""


def _finished(exchange: Exchange) -> float:
    """When an exchange ended, in seconds of the run."""
    return exchange.started + exchange.ended_at


def _overlapping(case: Case) -> tuple[Exchange, Exchange]:
    """The generation that ran, and the answer to the one that was begun meanwhile."""
    first = case["overlap/first"]
    if not accepted(first) and first.status is not None:
        raise MissingEvidence(f"the first of two generations did not run: {outcome(first)}")
    second = case["overlap/second-busy" if "overlap/second-busy" in case else "overlap/second"]
    if second.started >= _finished(first):
        case.not_applicable(f"a generation is over in {first.ended_at:.3f} s, too fast for another to overlap it")
    return first, second


@check("ROB-01", needs=["overlap"], requires=["GEN-EVT-12"])
def the_first_is_not_disturbed(case: Case) -> None:
    first, second = _overlapping(case)
    stream, other = generation(first), generation(second)
    if not case.expect(
        stream.complete is not None,
        expected="the first generation completes although another begins",
        got=outcome(first),
        exchange=first,
        cause="the second one takes its place, or breaks it",
    ):
        return
    mine, others = picture(stream), picture(other)
    if mine is not None and others is not None and contrast(mine.pixels) and mine.size == others.size:
        case.expect(
            bool((mine.pixels != others.pixels).any()),
            expected="two pictures for two prompts",
            got=f"the picture of {second.label} in {first.label} too",
            exchange=first,
            cause="both generations share their state",
        )


@check("ROB-02", needs=["overlap"], requires=["GEN-EVT-12"])
def the_second_runs_or_is_refused(case: Case) -> None:
    _, second = _overlapping(case)
    if second.status in BUSY:
        problem = envelope.problem(second)
        case.expect(
            not problem, expected=f"the error envelope with status {second.status}", got=problem, exchange=second
        )
        return
    case.expect(
        generation(second).complete is not None and second.status == 200,
        expected=f"a second generation that completes, or status {', '.join(map(str, BUSY))}",
        got=outcome(second),
        exchange=second,
    )


@check("ROB-03", needs=["hang-up"], requires=["GEN-EVT-12"])
def serves_after_a_hang_up(case: Case) -> None:
    if case["hang-up/abandoned"].end is not End.HUNG_UP:
        case.not_applicable("the generation that was to be abandoned was over before the client could hang up")
    following = case["hang-up/next"]
    refused = following.status is not None and 400 <= following.status < 500 and following.status not in BUSY
    case.expect(
        refused or (following.status == 200 and generation(following).complete is not None),
        expected="an answer to the request after the one that was hung up on",
        got=outcome(following),
        exchange=following,
        cause="the abandoned generation keeps the engine, or its end breaks the next one",
    )
    if "hang-up/health" in case:
        expect_status(case, case["hang-up/health"], 200, what="GET /health after a hang-up")


@check("ROB-04", needs=["hang-up"], over=["base"], requires=["ROB-03"])
def is_soon_free_after_a_hang_up(case: Case) -> None:
    abandoned, following = case["hang-up/abandoned"], case["hang-up/next"]
    stream = generation(abandoned)
    pace = _seconds_per_step(stream) or (("base" in case and _seconds_per_step(generation(case["base"]))) or None)
    last = stream.progress[-1] if stream.progress else None
    begun = generation(following).progress
    if pace is None or last is None or last.step is None or last.total_steps is None or not begun:
        raise MissingEvidence("the progress events do not say how fast the server is")
    left = (last.total_steps - last.step) * pace
    slack = max(STEPS_TO_NOTICE * pace, LEAST_SECONDS)
    if left < 2 * slack:
        case.not_applicable(f"the abandoned run would have been over in {left:.2f} s anyway, too soon to tell")
    # Half of what was left tells the two apart on machines that are busy with something else, too.
    within = stream.progress[0].at + left / 2
    waited = following.started + begun[0].at - _finished(abandoned)
    case.expect(
        waited <= within,
        expected=f"the next run's first progress within {within:.2f} s of the hang-up",
        got=f"after {waited:.2f} s (the abandoned run had {left:.2f} s to go)",
        exchange=following,
        at=begun[0].where,
        cause="the server does not notice that the client is gone, and finishes the run first",
    )


def _seconds_per_step(stream: GenerationStream) -> float | None:
    steps = [event for event in stream.progress if event.step is not None]
    if len(steps) < 2:
        return None
    done = (steps[-1].step or 0) - (steps[0].step or 0)
    return (steps[-1].at - steps[0].at) / done if done > 0 else None


@check("ROB-05", needs=["overlap"], over=NEEDED, requires=["GEN-SSE-01"])
def chunked_bodies(case: Case) -> None:
    expect_taken(
        case,
        lambda exchange: (exchange.request.header("transfer-encoding") or "").lower() == "chunked",
        "a body in chunked transfer coding",
        "only Content-Length is read",
    )


@check("ROB-06", needs=["hang-up"], over=NEEDED, requires=["GEN-SSE-01"])
def expect_continue(case: Case) -> None:
    expect_taken(
        case,
        lambda exchange: (exchange.request.header("expect") or "").lower() == "100-continue",
        "Expect: 100-continue",
        "the server neither says 100 Continue nor reads on",
    )


@check("ROB-07", needs=["keep-alive"], requires=["HLT-01"])
def keep_alive_after_an_error(case: Case) -> None:
    for exchange in case.starting("keep-alive/"):
        stray = dict(exchange.notes).get("bytes-after-the-answer")
        if stray:
            case.expect(
                False,
                expected="nothing after the end of the answer on a connection that is kept alive",
                got=f"{stray} bytes that belong to no answer",
                exchange=exchange,
                cause="Content-Length does not fit the body",
            )
    reused = 0
    for exchange in present(case, "keep-alive/health", "keep-alive/last"):
        if dict(exchange.notes).get("reused-connection") == "true":  # the answer before did not say that it is closed
            reused += 1
            closed = exchange.status is None and exchange.end in (End.TRUNCATED, End.RESET)
            expect_status(
                case,
                exchange,
                200,
                what="GET /health on a connection that has carried an error answer",
                cause="the server closes it without having said Connection: close"
                if closed
                else "the rest of the refused request is read as the next one",
            )
    if not reused and not case.findings:
        case.not_applicable("the server closes the connection after an error answer")


@check("ROB-08", needs=["hostile"], requires=["HLT-01"])
def deep_json(case: Case) -> None:
    unless_absent(case)
    for exchange in reached(present(case, "hostile/json-deep")):
        case.expect(
            exchange.status is not None and exchange.status >= 400,
            expected="an error status for JSON that is nested 10000 levels deep",
            got=outcome(exchange),
            exchange=exchange,
            cause="the JSON reader overflows its stack" if exchange.status is None else "",
        )
        _lives_on(case, "hostile/health", "JSON nested too deeply")


@check("ROB-09", needs=["hostile"], requires=["HLT-01"])
def garbage(case: Case) -> None:
    for exchange in reached(case.starting("hostile/")):
        if exchange.request.method == "":
            case.expect(
                exchange.status is None or not 200 <= exchange.status < 300,
                expected="no 2xx for bytes that are not HTTP",
                got=outcome(exchange),
                exchange=exchange,
                cause="a request whose length is ambiguous can smuggle another" if "length" in exchange.label else "",
            )
    after = "hostile/json-deep" if "hostile/json-deep" in case else "hostile/health"
    case.expect(
        case[after].end is not End.UNREACHABLE,
        expected="a server that lives on after bytes that are not HTTP",
        got=outcome(case[after]),
        exchange=case[after],
    )


@check("ROB-10", needs=["huge-prompt"], requires=["HLT-01", "GEN-EVT-12"])
def huge_prompt(case: Case) -> None:
    unless_absent(case)
    for exchange in reached(present(case, "huge-prompt")):
        size = f"{len(exchange.request.body) / 1e6:.1f} MB"
        answered = exchange.status is not None and exchange.status >= 400
        case.expect(
            answered or (exchange.status == 200 and generation(exchange).terminal is not None),
            expected=f"a refusal, or a stream to its end, for a prompt of {size}",
            got=outcome(exchange),
            exchange=exchange,
        )
        _lives_on(case, "huge-prompt/health", "a prompt of a megabyte")


def _lives_on(case: Case, label: str, what: str) -> None:
    expect_status(case, case[label], 200, what=f"GET /health after {escape(what)}", cause="the server died of it")
