from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from local_dream_conformance.core.exchange import BUSY_UNTIL, UNREAD, End, Exchange, Request
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.run import suite
from tests.conformance import transcripts
from tests.conformance.transcripts import (
    FIELDS,
    answer,
    error,
    generation,
    picture,
    progress,
    refusal,
    request,
    stream,
    words,
)

suite.load()
HEALTH = Request("GET", "/health")
ALIVE = answer("health/get", 200, to=HEALTH)
OTHER = {**FIELDS, "prompt": "two cats"}
SEEDLESS = {name: value for name, value in FIELDS.items() if name != "seed"}


def judge(id: str, *exchanges: Exchange) -> Judgement:
    return transcripts.judge(id, ALIVE, generation("base"), *exchanges)


def abandoned(steps: int = 20, seen: int = 3, pace: float = 0.5, **more: Any) -> Exchange:
    """Hung up on after `seen` of its steps, each of which took `pace` seconds."""
    events = [progress(step, steps) for step in range(1, seen + 1)]
    return stream("hang-up/abandoned", events, gap=pace, end=End.HUNG_UP, **more)


def following(first: float, pace: float = 0.5) -> Exchange:
    """Sent 1.5 s into the run, when the client has hung up; its first progress comes after `first` seconds."""
    return generation("hang-up/next", started=1.5, at=[first, *(first + pace * n for n in range(1, 5))])


AFTERWARDS = answer("hang-up/health", 200, to=HEALTH)
AFTERWARDS_ILL = answer("hang-up/health", 500, to=HEALTH)


def test_the_next_request_is_served() -> None:
    assert judge("ROB-03", abandoned(), following(0.6), AFTERWARDS).verdict is Verdict.PASS
    refused = refusal("hang-up/next")
    assert judge("ROB-03", abandoned(), refused, AFTERWARDS).verdict is Verdict.PASS


NOT_SERVED = {
    "silence": answer("hang-up/next", None, end=End.IDLE_TIMEOUT, to=request()),
    "busy for ever": refusal("hang-up/next", 503),
    "500": refusal("hang-up/next", 500),
    "cut": stream("hang-up/next", [progress(1, 4)], end=End.TRUNCATED),
}


@pytest.mark.parametrize("exchange", NOT_SERVED.values(), ids=NOT_SERVED)
def test_a_next_request_that_is_not_served_fails(exchange: Exchange) -> None:
    judgement = judge("ROB-03", abandoned(), exchange, AFTERWARDS)
    assert judgement.verdict is Verdict.FAIL
    assert "hung up on" in words(judgement)
    assert judge("ROB-04", abandoned(), exchange, AFTERWARDS).verdict is Verdict.BLOCKED


def test_a_hang_up_that_reaches_the_next_request_alone_fails() -> None:
    """The same request is taken when it is sent again: nothing in it is to blame."""
    failed = refusal("hang-up/next-failed", 500, to=request())
    judgement = judge("ROB-03", abandoned(), failed, following(0.6), AFTERWARDS)
    assert judgement.verdict is Verdict.FAIL
    assert "the same request was taken when it was sent again" in words(judgement)


def test_a_server_that_is_ill_after_a_hang_up_fails_and_one_that_is_gone_is_blocked() -> None:
    ill, dead = AFTERWARDS_ILL, answer("hang-up/health", None, end=End.UNREACHABLE, to=HEALTH)
    assert judge("ROB-03", abandoned(), following(0.6), ill).verdict is Verdict.FAIL
    assert judge("ROB-03", abandoned(), following(0.6), dead).verdict is Verdict.BLOCKED


def test_a_generation_that_never_ran_is_not_said_to_be_over_too_soon() -> None:
    silent = answer("hang-up/abandoned", None, end=End.TRUNCATED, to=request())
    assert judge("ROB-03", silent, following(0.6), AFTERWARDS).verdict is Verdict.UNTESTED
    first = answer("overlap/first", None, end=End.TRUNCATED, to=request())
    for id in ("ROB-01", "ROB-02"):
        assert judge(id, first, generation("overlap/second", started=9.0)).verdict is Verdict.UNTESTED


def test_a_generation_that_was_over_was_not_hung_up_on() -> None:
    over = generation("hang-up/abandoned")
    assert judge("ROB-03", over, following(0.6)).verdict is Verdict.NOT_APPLICABLE


def test_a_server_is_free_within_about_a_step() -> None:
    for first in (0.5, 0.9, 1.9, 3.9):
        assert judge("ROB-04", abandoned(), following(first)).verdict is Verdict.PASS
    assert judge("ROB-04", abandoned(), following(5.5)).verdict is Verdict.WARN
    judgement = judge("ROB-04", abandoned(), following(9.0))
    assert judgement.verdict is Verdict.WARN
    assert "after 9.00 s (the abandoned run had 8.50 s to go)" in words(judgement)


def test_what_is_made_while_nothing_is_read_is_not_left() -> None:
    behind = replace(abandoned(), notes=((UNREAD, "3.000"),))
    judgement = judge("ROB-04", behind, following(9.0))
    assert "after 9.00 s (the abandoned run had 5.50 s to go)" in words(judgement)
    assert "hung up on hang-up/abandoned, of which it had read nothing for 3.000 s" in words(judgement)
    assert (
        judge("ROB-04", replace(behind, notes=((UNREAD, "8.500"),)), following(0.1)).verdict is Verdict.NOT_APPLICABLE
    )


@pytest.mark.parametrize(("later", "verdict"), [(5.5, Verdict.WARN), (0.9, Verdict.PASS)])
def test_what_a_server_does_once_is_not_the_hang_ups(later: float, verdict: Verdict) -> None:
    """Both were sent once more, 20 s into the run."""
    again = replace(abandoned(), label="hang-up/abandoned-again", started=20.0)
    later_on = replace(following(later), label="hang-up/next-again", started=21.5)
    assert judge("ROB-04", abandoned(), following(5.5), again, later_on).verdict is verdict


def test_a_second_hang_up_that_tells_nothing_leaves_the_first() -> None:
    again = replace(abandoned(), label="hang-up/abandoned-again", started=20.0)
    silent = replace(refusal("hang-up/next-again"), started=21.5)
    assert judge("ROB-04", abandoned(), following(5.5), again, silent).verdict is Verdict.WARN


def test_the_time_that_a_busy_server_was_waited_for_counts() -> None:
    late = replace(following(0.5), started=9.0)
    judgement = judge("ROB-04", abandoned(), refusal("hang-up/next-busy", 503, started=1.5), late)
    assert judgement.verdict is Verdict.WARN


def test_the_pause_that_a_busy_server_asks_for_does_not_count() -> None:
    """It was free at some time between its last 503 and the second visit, five seconds later, as it had asked."""
    for until, verdict in ((1.6, Verdict.PASS), (8.0, Verdict.WARN)):
        late = replace(following(0.5), started=9.0, notes=((BUSY_UNTIL, f"{until:.3f}"),))
        judgement = judge("ROB-04", abandoned(), refusal("hang-up/next-busy", 503, started=1.5), late)
        assert judgement.verdict is verdict
    assert "busy still after" in words(judgement)


def test_too_fast_a_server_cannot_be_told_from_one_that_goes_on() -> None:
    judgement = judge("ROB-04", abandoned(steps=8, pace=0.01), following(0.1, pace=0.01))
    assert judgement.verdict is Verdict.NOT_APPLICABLE
    assert "too soon to tell" in judgement.reason


def test_a_single_step_is_paced_by_the_base_run() -> None:
    once = stream("hang-up/abandoned", [progress(1, 40)], at=[0.2], end=End.HUNG_UP)
    late = replace(following(9.0), started=0.2)
    assert judge("ROB-04", once, late).verdict is Verdict.WARN
    assert transcripts.judge(
        "ROB-04", ALIVE, generation("base", fields={**FIELDS, "steps": 1}), once, late
    ).verdict is (Verdict.UNTESTED)


CHUNKED, EXPECT = (("Transfer-Encoding", "chunked"),), (("Expect", "100-continue"),)
WAYS = {
    "ROB-05": ("overlap/first", CHUNKED, "chunked transfer coding"),
    "ROB-06": ("hang-up/next", EXPECT, "100-continue"),
}


@pytest.mark.parametrize(("id", "way"), WAYS.items(), ids=WAYS)
def test_ways_to_send_a_body_work(id: str, way: tuple[str, tuple[tuple[str, str], ...], str]) -> None:
    label, headers, said = way
    sent = request(FIELDS, headers=headers)
    taken = replace(generation(label), request=sent)
    assert judge(id, taken).verdict is Verdict.PASS
    assert judge(id, generation(label)).verdict is Verdict.UNTESTED
    for wrong in (
        refusal(f"{label}-odd", 411, to=sent),
        refusal(f"{label}-odd", 400, to=sent),
        answer(f"{label}-odd", None, end=End.IDLE_TIMEOUT, to=sent),
    ):
        judgement = judge(id, wrong, generation(label))
        assert judgement.verdict is Verdict.FAIL
        assert said in words(judgement)


def test_a_request_that_is_refused_in_every_way_says_nothing_of_the_way() -> None:
    fields = {**FIELDS, "scheduler": "euler_a"}
    expecting = refusal("hang-up/next-expect", to=request(fields, headers=EXPECT))
    judgement = judge("ROB-06", expecting, refusal("hang-up/next", to=request(fields)))
    assert judgement.verdict is Verdict.UNTESTED
    assert "as little" in judgement.reason


def kept(label: str, status: int | None = 200, reused: bool = True, **more: Any) -> Exchange:
    notes = (("reused-connection", str(reused).lower()), *more.pop("notes", ()))
    return answer(label, status, to=HEALTH, notes=notes, **more)


def test_a_connection_lives_on_after_an_error() -> None:
    assert judge("ROB-07", kept("keep-alive/health"), kept("keep-alive/last")).verdict is Verdict.PASS
    one = judge("ROB-07", kept("keep-alive/health"), kept("keep-alive/last", reused=False))
    assert one.verdict is Verdict.PASS


def test_a_server_may_close_after_an_error() -> None:
    told = [kept("keep-alive/health", reused=False), kept("keep-alive/last", reused=False)]
    assert judge("ROB-07", *told).verdict is Verdict.NOT_APPLICABLE


DERAILED: dict[str, tuple[Exchange, str]] = {
    "the rest read as a request": (kept("keep-alive/health", 400), "read as the next one"),
    "silence": (kept("keep-alive/health", None, end=End.IDLE_TIMEOUT), "idle-timeout"),
    "closed without a word": (kept("keep-alive/health", None, end=End.TRUNCATED), "Connection: close"),
    "no HTTP": (kept("keep-alive/last", None, end=End.MALFORMED), "malformed"),
    "stray bytes": (
        kept("keep-alive/refused", 400, notes=(("bytes-after-the-answer", "7"),)),
        "7 bytes that belong to no answer",
    ),
}


@pytest.mark.parametrize(("exchange", "said"), DERAILED.values(), ids=DERAILED)
def test_a_connection_that_derails_fails(exchange: Exchange, said: str) -> None:
    judgement = judge("ROB-07", *_others(exchange), exchange)
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)


def _others(exchange: Exchange) -> list[Exchange]:
    return [kept(label) for label in ("keep-alive/health", "keep-alive/last") if label != exchange.label]


LIVES = answer("hostile/health", 200, to=HEALTH)
DEAD = answer("hostile/health", None, end=End.UNREACHABLE, to=HEALTH)
DEEP = refusal("hostile/json-deep")


def garbage(label: str, status: int | None, body: bytes = b"") -> Exchange:
    end = End.EOF if status else End.TRUNCATED
    return answer(label, status, body, to=Request("", "", (), b"\0"), end=end)


def test_deep_json_is_refused_or_ignored() -> None:
    assert judge("ROB-08", DEEP, LIVES).verdict is Verdict.PASS
    ignored = stream("hostile/json-deep", [progress(1, 4)], end=End.HUNG_UP)
    assert judge("ROB-08", ignored, LIVES).verdict is Verdict.PASS
    judgement = judge("ROB-08", answer("hostile/json-deep", None, end=End.RESET, to=request()), LIVES)
    assert judgement.verdict is Verdict.WARN
    assert "10000 levels" in words(judgement)
    assert judge("ROB-08", DEEP, replace(LIVES, status=500)).verdict is Verdict.WARN
    assert judge("ROB-08", DEEP, DEAD).verdict is Verdict.BLOCKED


def test_garbage_gets_no_2xx() -> None:
    right = [garbage("hostile/request-line", 400), garbage("hostile/chunk-size", None)]
    assert judge("ROB-09", *right, DEEP, LIVES).verdict is Verdict.PASS
    judgement = judge("ROB-09", *right, garbage("hostile/length-conflict", 200, b"ok"), DEEP, LIVES)
    assert judgement.verdict is Verdict.WARN
    assert "smuggle" in words(judgement)


def test_a_huge_prompt_is_answered() -> None:
    lives = answer("huge-prompt/health", 200, to=HEALTH)
    for right in (
        refusal("huge-prompt", 413),
        generation("huge-prompt", picture(16, 8)),
        stream("huge-prompt", [error("too long")]),
    ):
        assert judge("ROB-10", right, lives).verdict is Verdict.PASS
    for wrong in (
        answer("huge-prompt", None, end=End.TOTAL_TIMEOUT, to=request()),
        stream("huge-prompt", [progress(1, 4)], end=End.TRUNCATED),
        answer("huge-prompt", 200, to=request()),
    ):
        judgement = judge("ROB-10", wrong, lives)
        assert judgement.verdict is Verdict.WARN
        assert "MB" in words(judgement)
    ill = answer("huge-prompt/health", 500, to=HEALTH)
    assert judge("ROB-10", refusal("huge-prompt", 413), ill).verdict is Verdict.WARN
