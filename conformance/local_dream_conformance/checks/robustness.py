"""Checks of the group robustness: overlapping clients, clients that hang up, unusual but legal HTTP, and garbage."""

from __future__ import annotations

from local_dream_conformance.checks.assertions import (
    NEEDED,
    accepted,
    expect_status,
    expect_taken,
    present,
    unless_absent,
)
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import BUSY, End, Exchange
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence import envelope
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.hang_up import hang_up
from local_dream_conformance.evidence.pixels import contrast
from local_dream_conformance.evidence.selectors import fields, outcome, picture

FIRST_AFTER = "hang-up/next-failed"
AGAIN = ("hang-up/abandoned-again", "hang-up/next-again")
"""Sent where the next generation had begun late: both once more."""


def _finished(exchange: Exchange) -> float:
    """When an exchange ended, in seconds of the run."""
    return exchange.started + exchange.ended_at


def _overlapping(context: Context) -> tuple[Exchange, Exchange]:
    """The generation that ran, and the answer to the one that was begun meanwhile."""
    first = context["overlap/first"]
    # A plain one that was refused while the first ran was tried again afterwards: the refusal is what overlaps.
    kept = ("overlap/second-busy", "overlap/second-failed", "overlap/second-plain", "overlap/second")
    second = context[next(label for label in kept if label in context or label == kept[-1])]
    overlaps = second.started < _finished(first)
    if not accepted(first) and (first.status is not None or not overlaps):
        raise MissingEvidence(f"the first of two generations did not run: {outcome(first)}")
    if not overlaps:
        context.not_applicable(f"a generation is over in {first.ended_at:.3f} s, too fast for another to overlap it")
    return first, second


@check("ROB-01", needs=["overlap"], over=["hang-up/abandoned", "hang-up/refused-meanwhile"], requires=["GEN-EVT-12"])
def the_first_is_not_disturbed(context: Context) -> None:
    _by_a_refusal(context)
    first, second = _overlapping(context)
    stream, other = generation(first), generation(second)
    if not context.expect(
        stream.complete is not None,
        expected="the first generation completes although another begins",
        got=outcome(first),
        exchange=first,
        cause="the second one takes its place, or breaks it?",
    ):
        return
    sent, theirs = (integer(fields(one.request).get("seed")) for one in (first, second))
    told = integer(stream.complete.payload.get("seed")) if stream.complete else None
    if told is not None and sent is not None and sent != theirs:
        context.expect(
            told == sent or told != theirs,
            expected=f"the seed of {first.label} in its complete, or at least not that of {second.label}",
            got=f"seed {told}, which {second.label} has sent",
            exchange=first,
            cause="both generations share their state?",
        )
    mine, others = picture(stream), picture(other)
    if mine is not None and others is not None and contrast(mine.pixels) and mine.size == others.size:
        context.expect(
            bool((mine.pixels != others.pixels).any()),
            expected="two pictures for two prompts",
            got=f"the picture of {second.label} in {first.label} too",
            exchange=first,
            cause="both generations share their state?",
        )


def _by_a_refusal(context: Context) -> None:
    """Expects a generation to run on while a request is refused."""
    if "hang-up/abandoned" not in context or "hang-up/refused-meanwhile" not in context:
        return
    meanwhile, refused = generation(context["hang-up/abandoned"]), context["hang-up/refused-meanwhile"]
    failed = meanwhile.error
    afterwards = failed is not None and meanwhile.exchange.started + failed.at > refused.started
    context.expect(
        not (afterwards and meanwhile.progress),
        expected="the generation to run on while a request is refused",
        got="" if failed is None else f"an error event: {escape(str(failed.payload.get('message')), 80)}",
        exchange=meanwhile.exchange,
        at=failed.where if failed else "",
        cause="the refused request ends it?",
    )


@check("ROB-02", needs=["overlap"], requires=["GEN-EVT-12"])
def the_second_runs_or_is_refused(context: Context) -> None:
    _, second = _overlapping(context)
    if second.status in BUSY:
        problem = envelope.problem(second)
        context.expect(
            not problem, expected=f"the error envelope with status {second.status}", got=problem, exchange=second
        )
        return
    context.expect(
        generation(second).complete is not None and second.status == 200,
        expected=f"a second generation that completes, or status {', '.join(map(str, BUSY))}",
        got=outcome(second),
        exchange=second,
    )


@check("ROB-03", needs=["hang-up"], requires=["GEN-EVT-12"])
def serves_after_a_hang_up(context: Context) -> None:
    abandoned = context["hang-up/abandoned"]
    if abandoned.end is not End.HUNG_UP:
        if generation(abandoned).terminal is None:
            raise MissingEvidence(f"the generation that was to be abandoned did not run: {outcome(abandoned)}")
        context.not_applicable("the generation that was to be abandoned was over before the client could hang up")
    if FIRST_AFTER in context:
        context.expect(
            False,
            expected="a picture from the first request after the one that was hung up on, too",
            got=f"{outcome(context[FIRST_AFTER])}; the same request was taken when it was sent again",
            exchange=context[FIRST_AFTER],
            cause="what marks that a client is gone is not taken back before the next generation?",
        )
    following = context["hang-up/next"]
    refused = following.status is not None and 400 <= following.status < 500 and following.status not in BUSY
    context.expect(
        refused or (following.status == 200 and generation(following).complete is not None),
        expected="an answer to the request after the one that was hung up on",
        got=outcome(following),
        exchange=following,
        cause="the abandoned generation keeps the engine, or its end breaks the next one?",
    )
    if "hang-up/health" in context:
        expect_status(context, context["hang-up/health"], 200, what="GET /health after a hang-up")


@check("ROB-04", needs=["hang-up"], over=["base"], requires=["ROB-03"])
def is_soon_free_after_a_hang_up(context: Context) -> None:
    base = [context[label] for label in ("base",) if label in context]
    first = context["hang-up/abandoned"], context["hang-up/next"]
    again = (context[AGAIN[0]], context[AGAIN[1]]) if all(label in context for label in AGAIN) else first
    for abandoned, following in (again, first):
        seen = hang_up(abandoned, following, *base)
        if seen and seen.tells:
            break
    if seen is None:
        raise MissingEvidence("the progress events do not say how fast the server is")
    if not seen.tells:
        context.not_applicable(f"the abandoned run would have been over in {seen.left:.2f} s anyway, too soon to tell")
    got = f"after {seen.waited:.2f} s" if seen.busy_until is None else f"busy still after {seen.busy_until:.2f} s"
    context.expect(
        seen.in_time,
        expected=f"the next run's first progress within {seen.within:.2f} s of the hang-up",
        got=f"{got} (the abandoned run had {seen.left:.2f} s to go)",
        exchange=following,
        at=generation(following).progress[0].where,
        cause="the server does not notice that the client is gone, and finishes the run first?",
    )


@check("ROB-05", needs=["overlap"], over=NEEDED, requires=["GEN-SSE-01"])
def chunked_bodies(context: Context) -> None:
    expect_taken(
        context,
        lambda exchange: (exchange.request.header("transfer-encoding") or "").lower() == "chunked",
        "a body in chunked transfer coding",
        "only Content-Length is read?",
    )


@check("ROB-06", needs=["hang-up"], over=NEEDED, requires=["GEN-SSE-01"])
def expect_continue(context: Context) -> None:
    expect_taken(
        context,
        lambda exchange: (exchange.request.header("expect") or "").lower() == "100-continue",
        "Expect: 100-continue",
        "the server neither says 100 Continue nor reads on?",
    )


@check("ROB-07", needs=["keep-alive"])
def keep_alive_after_an_error(context: Context) -> None:
    for exchange in context.starting("keep-alive/"):
        stray = dict(exchange.notes).get("bytes-after-the-answer")
        if stray:
            context.expect(
                False,
                expected="nothing after the end of the answer on a connection that is kept alive",
                got=f"{stray} bytes that belong to no answer",
                exchange=exchange,
                cause="Content-Length does not fit the body?",
            )
    reused = 0
    for exchange in present(context, "keep-alive/health", "keep-alive/last"):
        if dict(exchange.notes).get("reused-connection") == "true":  # the answer before did not say that it is closed
            reused += 1
            closed = exchange.status is None and exchange.end in (End.TRUNCATED, End.RESET)
            expect_status(
                context,
                exchange,
                200,
                what="GET /health on a connection that has carried an error answer",
                cause="the server closes it without having said Connection: close"
                if closed
                else "the rest of the refused request is read as the next one?",
            )
    errors = [context[label] for label in ("keep-alive/refused", "keep-alive/not-found") if label in context]
    if not reused and not context.findings and any(one.status is None or one.is_cut for one in errors):
        raise MissingEvidence("an error answer did not come, or not to its end")
    if not reused and not context.findings:
        context.not_applicable("the server closes the connection after an error answer")


@check("ROB-08", needs=["hostile"])
def deep_json(context: Context) -> None:
    unless_absent(context)
    for exchange in present(context, "hostile/json-deep"):
        context.expect(
            accepted(exchange) or (exchange.status is not None and exchange.status >= 400),
            expected="a refusal, or a generation, for an unknown field that is nested 10000 levels deep",
            got=outcome(exchange),
            exchange=exchange,
            cause="the JSON reader overflows its stack?" if exchange.status is None else "",
        )
        _lives_on(context, "hostile/health", "JSON nested too deeply")


@check("ROB-09", needs=["hostile"])
def garbage(context: Context) -> None:
    for exchange in context.starting("hostile/"):
        if exchange.request.method == "":
            context.expect(
                exchange.status is None or not 200 <= exchange.status < 300,
                expected="no 2xx for bytes that are not HTTP",
                got=outcome(exchange),
                exchange=exchange,
                cause="a request whose length is ambiguous can smuggle another" if "length" in exchange.label else "",
            )


@check("ROB-10", needs=["huge-prompt"], requires=["HLT-01", "GEN-EVT-12"])
def huge_prompt(context: Context) -> None:
    unless_absent(context)
    for exchange in present(context, "huge-prompt"):
        size = f"{len(exchange.request.body) / 1e6:.1f} MB"
        answered = exchange.status is not None and exchange.status >= 400
        context.expect(
            answered or (exchange.status == 200 and generation(exchange).terminal is not None),
            expected=f"a refusal, or a stream to its end, for a prompt of {size}",
            got=outcome(exchange),
            exchange=exchange,
        )
        _lives_on(context, "huge-prompt/health", "a prompt of a megabyte")


@check("ROB-13", needs=["queue"], requires=["ROB-02"])
def the_third_has_its_turn(context: Context) -> None:
    first = context["queue/first"]
    if "queue/left" not in context:
        raise MissingEvidence(f"the first of three generations did not stream: {outcome(first)}")
    left = context["queue/left"]
    answers = [context[label] for label in ("queue/third-busy", "queue/third") if label in context]
    if answers and answers[0].started >= _finished(first):
        context.not_applicable(f"a generation is over in {first.ended_at:.3f} s, too fast for two more to come")
    for exchange in answers:
        context.expect(
            exchange.status in BUSY or (exchange.status == 200 and generation(exchange).complete is not None),
            expected=f"a third generation that completes, or status {', '.join(map(str, BUSY))}",
            got=outcome(exchange),
            exchange=exchange,
            cause="a client that hangs up while it waits for its turn keeps the queue from going on?"
            if left.end is End.HUNG_UP
            else "",
        )


def _lives_on(context: Context, label: str, what: str) -> None:
    expect_status(context, context[label], 200, what=f"GET /health after {escape(what)}")
