"""Checks of generations that overlap: ROB-01, -02 and -13."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.run import suite
from tests.conformance import transcripts
from tests.conformance.in_memory_server import PLAIN
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


FIRST = generation("overlap/first", fields=OTHER, started=10.0)
SECOND = generation("overlap/second", fields=SEEDLESS, started=10.1, gap=0.3)
BUSY = refusal("overlap/second-busy", 503, started=10.1, to=request(SEEDLESS))
RETRIED = generation("overlap/second", fields=SEEDLESS, started=11.0)


@pytest.mark.parametrize("id", ["ROB-01", "ROB-02"])
def test_two_generations_at_once(id: str) -> None:
    assert judge(id, FIRST, SECOND).verdict is Verdict.PASS
    assert judge(id, FIRST, BUSY, RETRIED).verdict is Verdict.PASS
    assert judge(id, FIRST, replace(BUSY, label="overlap/second")).verdict is Verdict.PASS


@pytest.mark.parametrize("id", ["ROB-01", "ROB-02"])
def test_generations_that_do_not_overlap_prove_nothing(id: str) -> None:
    judgement = judge(id, FIRST, RETRIED)
    assert judgement.verdict is Verdict.NOT_APPLICABLE
    assert "too fast" in judgement.reason
    assert judge(id, refusal("overlap/first"), SECOND).verdict is Verdict.UNTESTED


DISTURBED: dict[str, tuple[Exchange, str]] = {
    "cut": (stream("overlap/first", [progress(1, 4)], started=10.0, at=[0.2], end=End.TRUNCATED), "without complete"),
    "failed": (stream("overlap/first", [progress(1, 4), error("busy")], started=10.0), "error 'busy'"),
    "the other's picture": (
        generation("overlap/first", picture(seed=3), fields=OTHER, started=10.0),
        "the picture of overlap/second",
    ),
}


@pytest.mark.parametrize(("first", "said"), DISTURBED.values(), ids=DISTURBED)
def test_a_first_generation_that_is_disturbed_fails(first: Exchange, said: str) -> None:
    second = generation("overlap/second", picture(seed=3), fields=SEEDLESS, started=10.1)
    judgement = judge("ROB-01", first, second)
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)
    assert judge("ROB-02", first, second).verdict is Verdict.PASS


def test_a_first_generation_that_reports_the_seed_of_the_second_is_disturbed() -> None:
    second = generation("overlap/second", fields={**FIELDS, "seed": 99}, started=10.1)
    leaking = generation("overlap/first", fields={**OTHER, "seed": 99}, sent=OTHER, started=10.0)
    judgement = judge("ROB-01", leaking, second)
    assert judgement.verdict is Verdict.FAIL
    assert "seed 99, which overlap/second has sent" in words(judgement)
    odd = generation("overlap/first", fields={**OTHER, "seed": 5}, sent=OTHER, started=10.0)
    assert judge("ROB-01", odd, second).verdict is Verdict.PASS  # that is GEN-EVT-19's
    assert judge("ROB-01", FIRST, second).verdict is Verdict.PASS


def test_a_refusal_disturbs_the_generation_that_runs_no_more_than_another_generation() -> None:
    refused = refusal("hang-up/refused-meanwhile")
    running = stream("hang-up/abandoned", [progress(1, 20), progress(2, 20)], end=End.HUNG_UP)
    assert judge("ROB-01", running, refused, FIRST, SECOND).verdict is Verdict.PASS
    ended = stream("hang-up/abandoned", [progress(1, 20), error("reset")])
    judgement = judge("ROB-01", ended, refused, FIRST, SECOND)
    assert judgement.verdict is Verdict.FAIL
    assert "the refused request ends it" in words(judgement)
    assert judge("ROB-01", ended, FIRST, SECOND).verdict is Verdict.PASS  # nothing was refused meanwhile
    after = replace(refused, started=9.0)
    assert judge("ROB-01", ended, after, FIRST, SECOND).verdict is Verdict.PASS  # it had failed before


ILL: dict[str, tuple[Exchange, str]] = {
    "500": (refusal("overlap/second", 500, started=10.1), "409, 429, 503"),
    "silence": (answer("overlap/second", None, end=End.IDLE_TIMEOUT, to=request(), started=10.1), "idle-timeout"),
    "error event": (stream("overlap/second", [error("busy")], started=10.1), "error 'busy'"),
    "busy without the envelope": (
        answer("overlap/second-busy", 503, b"busy", to=request(), started=10.1),
        "not JSON",
    ),
}


@pytest.mark.parametrize(("second", "said"), ILL.values(), ids=ILL)
def test_a_second_generation_that_neither_runs_nor_is_refused_fails(second: Exchange, said: str) -> None:
    judgement = judge("ROB-02", FIRST, second)
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)
    assert judge("ROB-01", FIRST, second).verdict is Verdict.PASS


# Three at once

LONG = generation("queue/first", picture(seed=1), fields={**PLAIN, "steps": 9}, started=10.0, gap=0.5)
LEFT = answer("queue/left", None, to=LONG.request, started=10.2, took=0.4, end=End.HUNG_UP)
THIRD = generation("queue/third", picture(seed=2), fields=PLAIN, started=10.4, gap=0.5)
PAIR = [
    generation("overlap/first", picture(seed=3), fields={**PLAIN, "prompt": "two cats"}, started=1.0),
    generation("overlap/second", picture(seed=4), fields={**PLAIN, "seed": 8}, started=1.1),
]
HELD: dict[str, tuple[list[Exchange], Verdict, str]] = {
    "all served": ([LONG, LEFT, THIRD], Verdict.PASS, ""),
    "busy": ([LONG, LEFT, refusal("queue/third-busy", 503, started=10.4), THIRD], Verdict.PASS, ""),
    "busy all along": ([LONG, LEFT, refusal("queue/third", 503, started=10.4)], Verdict.PASS, ""),
    "refused": ([LONG, LEFT, refusal("queue/third", 500, started=10.4)], Verdict.WARN, "status 500"),
    "silent": (
        [LONG, LEFT, answer("queue/third", None, to=LONG.request, started=10.4, end=End.IDLE_TIMEOUT)],
        Verdict.WARN,
        "keeps the queue from going on?",
    ),
    "not ended": (
        [LONG, LEFT, stream("queue/third", [progress(1, 4)], fields=PLAIN, started=10.4, end=End.IDLE_TIMEOUT)],
        Verdict.WARN,
        "without complete",
    ),
    "too late": ([LONG, LEFT, replace(THIRD, started=20.0)], Verdict.NOT_APPLICABLE, "too fast"),
    "alone": ([refusal("queue/first", 500)], Verdict.UNTESTED, "did not stream"),
}


@pytest.mark.parametrize(("exchanges", "verdict", "said"), HELD.values(), ids=HELD)
def test_a_third_generation_beside_one_that_is_left(exchanges: list[Exchange], verdict: Verdict, said: str) -> None:
    judgement = transcripts.judge("ROB-13", ALIVE, generation("base"), *PAIR, *exchanges)
    assert judgement.verdict is verdict, words(judgement)
    assert said in words(judgement) + judgement.reason
    assert len(judgement.findings) == (verdict is Verdict.WARN)
