from __future__ import annotations

import json
from typing import Any

import pytest

from local_dream_conformance.checks import generate_ranges, health
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.fields import Field, documented
from local_dream_conformance.core.verdict import Judgement, Verdict
from tests.conformance import transcripts
from tests.conformance.transcripts import (
    FIELDS,
    answer,
    complete,
    error,
    generation,
    picture,
    progress,
    refusal,
    request,
    stream,
    words,
)
from tests.field_values import out_of_range

assert generate_ranges
assert health
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
LIVES_ON = answer("range/health", 200, to=Request("GET", "/health"))


def judge(id: str, *exchanges: Exchange) -> Judgement:
    return transcripts.judge(id, ALIVE, *exchanges)


def sent(**fields: Any) -> dict[str, Any]:
    return {**FIELDS, **fields}


CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "range/steps-zero": ("GEN-RNG-02", sent(steps=0), "steps: 0"),
    "range/steps-negative": ("GEN-RNG-02", sent(steps=-1), "steps: -1"),
    "range/width-zero": ("GEN-RNG-03", sent(width=0), "width: 0"),
    "range/height-negative": ("GEN-RNG-03", sent(height=-8), "height: -8"),
    "range/width-odd": ("GEN-RNG-04", sent(width=129), "width: 129"),
    "range/height-odd": ("GEN-RNG-04", sent(height=65), "height: 65"),
    "range/denoise_strength-above": ("GEN-RNG-05", sent(denoise_strength=1.1), "denoise_strength: 1.1"),
    "range/seed-too-large": ("GEN-RNG-06", sent(seed=2**32), "cut to 32 bits"),
    "range/seed-minus-two": ("GEN-RNG-06", sent(seed=-2), "seed: -2"),
    "range/seed-minus-one": ("GEN-RNG-07", sent(seed=-1), "seed: -1"),
    "range/stride-zero": (
        "GEN-RNG-08",
        sent(show_diffusion_process=True, show_diffusion_stride=0),
        "show_diffusion_stride: 0",
    ),
    "range/scheduler-unknown": ("GEN-RNG-09", sent(scheduler="no_such"), "another scheduler"),
    "range/scheduler-part": ("GEN-RNG-09", sent(scheduler="dp"), 'scheduler: "dp"'),
}


@pytest.mark.parametrize(("label", "case"), CASES.items(), ids=CASES)
def test_should_be_refused(label: str, case: tuple[str, dict[str, Any], str]) -> None:
    id, fields, said = case
    assert judge(id, refusal(label, to=request(fields))).verdict is Verdict.PASS
    taken = stream(label, [progress(1, 4)], fields=fields, end=End.HUNG_UP)
    judgement = judge(id, taken)
    assert judgement.verdict is Verdict.WARN
    assert said in words(judgement)
    assert judge(id, stream(label, [error()], fields=fields)).verdict is Verdict.WARN


@pytest.mark.parametrize("field", documented().values(), ids=lambda field: field.name)
def test_every_range_of_the_contract_is_judged_by_its_requirement(field: Field) -> None:
    for keyword, value in out_of_range(field.schema).items():
        if keyword == "minLength":
            continue
        value = -2 if field.name == "seed" and keyword == "minimum" else value
        fields = sent(**{field.name: value})
        taken = stream(f"range/{field.name}-{keyword}", [progress(1, 4)], fields=fields, end=End.HUNG_UP)
        judgement = judge(field.ids[keyword], taken)
        assert judgement.verdict is Verdict.WARN, keyword
        assert f"{field.name}: {json.dumps(value)}" in words(judgement)


def test_a_seed_is_judged_by_its_value() -> None:
    minus_one = stream("range/seed-minus-one", [progress(1, 4)], fields=sent(seed=-1), end=End.HUNG_UP)
    assert judge("GEN-RNG-06", minus_one).verdict is Verdict.UNTESTED
    too_large = refusal("range/seed-too-large", to=request(sent(seed=2**32)))
    assert judge("GEN-RNG-07", too_large).verdict is Verdict.UNTESTED


ENDED: dict[str, Exchange] = {
    "refused": refusal("range/steps-zero"),
    "server error": refusal("range/steps-zero", 500),
    "error event": stream("range/steps-zero", [error()]),
    "picture": generation("range/steps-zero", picture(16, 8)),
    "picture in the making": stream("range/steps-zero", [progress(1, 4)], end=End.HUNG_UP),
    "closed after the refusal": refusal("range/steps-zero", end=End.EOF),
}


@pytest.mark.parametrize("exchange", ENDED.values(), ids=ENDED)
def test_any_answer_that_ends_will_do(exchange: Exchange) -> None:
    assert judge("GEN-RNG-01", exchange, LIVES_ON).verdict is Verdict.PASS


UNENDED: dict[str, tuple[Exchange, str]] = {
    "silence": (answer("range/steps-zero", None, end=End.IDLE_TIMEOUT, to=request(sent(steps=0))), "idle-timeout"),
    "crash": (answer("range/steps-zero", None, end=End.RESET, to=request(sent(steps=0))), "crashed"),
    "crash in the stream": (
        stream("range/steps-zero", [progress(1, 4)], fields=sent(steps=0), end=End.TRUNCATED),
        "without complete or error",
    ),
    "endless": (
        stream("range/steps-zero", [progress(1, 4)], fields=sent(steps=0), end=End.TOO_LARGE),
        "steps: 0",
    ),
    "endless after the picture": (
        stream("range/steps-zero", [progress(1, 1), complete(picture(16, 8))], end=End.TOTAL_TIMEOUT),
        "an answer that ends",
    ),
    "no terminal event": (stream("range/steps-zero", [progress(1, 4)]), "without complete or error"),
    "empty": (answer("range/steps-zero", 200, to=request(sent(steps=0))), "status 200"),
}


@pytest.mark.parametrize(("exchange", "said"), UNENDED.values(), ids=UNENDED)
def test_an_answer_that_does_not_end_fails(exchange: Exchange, said: str) -> None:
    judgement = judge("GEN-RNG-01", exchange, LIVES_ON)
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)


def test_a_server_that_is_gone_is_blamed_for_nothing_else() -> None:
    gone = [answer(f"range/{name}", None, end=End.UNREACHABLE, to=request()) for name in ("steps-zero", "stride-zero")]
    dead = answer("range/health", None, end=End.UNREACHABLE, to=Request("GET", "/health"))
    judgement = judge("GEN-RNG-01", refusal("range/seed-minus-one"), *gone, dead)
    assert (judgement.verdict, judgement.reason) == (Verdict.BLOCKED, "SRV-05 does not hold")


def test_what_has_killed_servers_is_judged_where_it_was_asked_and_untested_elsewhere() -> None:
    asked = refusal("destructive/range/width-negative", to=request(sent(width=-8)))
    assert judge("GEN-RNG-03", asked).verdict is Verdict.PASS
    taken = generation("destructive/range/width-negative", picture(16, 8), sent=sent(width=-8))
    assert "width: -8" in words(judge("GEN-RNG-03", taken))
    left = judge("GEN-RNG-03", refusal("range/width-odd", to=request(sent(width=129))))
    assert left.verdict is Verdict.UNTESTED
    assert "--destructive" in left.reason


def test_a_server_that_only_upscales_is_not_judged() -> None:
    for id in ("GEN-RNG-01", "GEN-RNG-02"):
        assert judge(id, refusal("range/steps-zero", 404)).verdict is Verdict.NOT_APPLICABLE
