from __future__ import annotations

import json
from dataclasses import replace

import pytest

from local_dream_conformance.core.exchange import ON_CONTROL, End, Exchange, Request
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.run import suite
from local_dream_conformance.scenarios.forms import NOTE
from tests.conformance import transcripts
from tests.conformance.transcripts import (
    FIELDS,
    JSON_HEADERS,
    answer,
    error,
    generation,
    picture,
    progress,
    refusal,
    request,
    stream,
    upscale,
    upscale_request,
    words,
)

suite.load()
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
HEALTH = Request("GET", "/health")
NOWHERE = Request("GET", "/no-such-path")
SENT = request({})


def judge(id: str, *exchanges: Exchange) -> Judgement:
    return transcripts.judge(id, ALIVE, generation("base", picture(16, 8)), *exchanges)


def told(body: object, label: str = "refuse/prompt-missing", status: int = 400, to: Request = SENT) -> Exchange:
    """An error answer with this body, as JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return answer(label, status, content, to=to, headers=JSON_HEADERS)


RIGHT = [
    refusal("refuse/prompt-missing"),
    refusal("overlap/second", 500),
    refusal("upscale-refuse/body-short", to=upscale_request(picture(12, 8))),
]


@pytest.mark.parametrize("id", ["ERR-01", "ERR-02", "ERR-03"])
def test_the_envelope_passes(id: str) -> None:
    judgement = judge(id, *RIGHT)
    assert judgement.verdict is Verdict.PASS
    assert judgement.assertions == 3
    assert judge(id).verdict is Verdict.UNTESTED


BAD: dict[str, tuple[str, Exchange, str]] = {
    "text": ("ERR-01", answer("refuse/x", 400, b'{"error": {"message": "m", "type": "request_error"}}', to=SENT), "no"),
    "page": (
        "ERR-01",
        answer("refuse/x", 500, b"<html>", to=SENT, headers=(("Content-Type", "text/html"),)),
        "text/html",
    ),
    "no body": ("ERR-02", told(b""), "no body"),
    "no JSON": ("ERR-02", told(b"Bad Request"), "not JSON"),
    "NaN": ("ERR-02", told(b'{"error": {"message": "m", "type": "request_error"}, "x": NaN}'), "NaN"),
    "an array": ("ERR-02", told([]), "no object under"),
    "error is a text": ("ERR-02", told({"error": "bad"}), "no object under"),
    "no message": ("ERR-02", told({"error": {"type": "request_error"}}), "error.message is None"),
    "empty message": ("ERR-02", told({"error": {"message": " ", "type": "request_error"}}), "error.message"),
    "message is a list": ("ERR-02", told({"error": {"message": ["m"], "type": "request_error"}}), "error.message"),
    "no type": ("ERR-02", told({"error": {"message": "m"}}), "error.type"),
    "type of the other": ("ERR-03", refusal("refuse/x", 400, "server_error"), "request_error with status 400"),
    "type of its own": ("ERR-03", refusal("refuse/x", 500, "internal"), "server_error with status 500"),
    "hostile type": ("ERR-03", refusal("refuse/x", 400, "\x1b[2J"), r"\x1b"),
}


@pytest.mark.parametrize(("id", "exchange", "said"), BAD.values(), ids=BAD)
def test_the_envelope_is_broken(id: str, exchange: Exchange, said: str) -> None:
    judgement = judge(id, *RIGHT[1:], exchange)
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)
    assert [finding.exchange for finding in judgement.findings] == [exchange.label]


@pytest.mark.parametrize("id", ["ERR-01", "ERR-02", "ERR-03"])
def test_answers_that_are_judged_apart_are_left_out(id: str) -> None:
    others = [
        answer("refuse/body-not-utf8", 500, to=SENT),
        answer("hostile/request-line", 400, b"Bad Request", to=Request("", "", (), b"\0")),
        answer("health/unknown-path", 400, to=NOWHERE),
        answer("health/unknown-path-post", 404, to=Request("POST", "/no-such-path")),
    ]
    assert judge(id, *RIGHT, *others).verdict is Verdict.PASS
    assert judge(id, *others).verdict is Verdict.UNTESTED


def test_without_any_type_the_type_is_not_judged() -> None:
    assert judge("ERR-03", told(b"Bad Request")).verdict is Verdict.UNTESTED


def test_other_statuses_should_carry_the_envelope_too() -> None:
    right = refusal("health/unknown-path", 404, to=NOWHERE)
    assert judge("ERR-04", right, *RIGHT).verdict is Verdict.PASS
    for label, status, to in (
        ("health/unknown-path", 404, NOWHERE),
        ("refuse/prompt-missing", 413, SENT),
        ("health/get", 500, HEALTH),
    ):
        judgement = judge("ERR-04", *RIGHT[1:], answer(label, status, to=to))
        assert judgement.verdict in (Verdict.WARN, Verdict.BLOCKED)
    bare = judge("ERR-04", answer("health/unknown-path", 404, to=NOWHERE))
    assert bare.verdict is Verdict.WARN
    assert "no body" in words(bare)


def test_other_statuses_leave_out_what_cannot_carry_one() -> None:
    exempt = [
        answer("health/head", 404, to=Request("HEAD", "/health")),
        answer("overlap/second-busy", 503, to=SENT),
        answer("control/not-found", 404, b'{"error": "not found"}', notes=(ON_CONTROL,)),
        answer("hostile/chunk-size", 400, to=Request("", "", (), b"\0")),
    ]
    assert judge("ERR-04", *RIGHT, *exempt).verdict is Verdict.UNTESTED


def test_health_goes_on() -> None:
    scenarios = ("refuse", "refuse-image", "upscale-refuse")
    right = [answer(f"{scenario}/health", 200, to=HEALTH) for scenario in scenarios]
    assert judge("ERR-05", REFUSED, *right).verdict is Verdict.PASS
    for index, scenario in enumerate(scenarios):
        dead = answer(f"{scenario}/health", None, end=End.UNREACHABLE, to=HEALTH)
        judgement = judge("ERR-05", REFUSED, *right[:index], dead, *right[index + 1 :])
        assert (judgement.verdict, judgement.reason) == (Verdict.BLOCKED, "SRV-05 does not hold")
        ill = answer(f"{scenario}/health", 500, to=HEALTH)
        assert judge("ERR-05", REFUSED, *right[:index], ill, *right[index + 1 :]).verdict is Verdict.FAIL


REFUSED = refusal("refuse/prompt-missing", started=1.0)
PAINTED = generation("defaults/absent", picture(16, 8), started=2.0)


def test_work_goes_on() -> None:
    assert judge("ERR-06", REFUSED, PAINTED).verdict is Verdict.PASS
    assert judge("ERR-06", REFUSED, generation("defaults/absent", picture(16, 8), started=0.5)).verdict is (
        Verdict.UNTESTED
    )
    assert judge("ERR-06", PAINTED).verdict is Verdict.UNTESTED


STUCK = {
    "silent": answer("defaults/absent", None, end=End.IDLE_TIMEOUT, to=request(), started=2.0),
    "busy for ever": refusal("defaults/absent", 503, started=2.0),
    "failing": refusal("defaults/absent", 500, started=2.0),
    "failing late": stream("defaults/absent", [progress(1, 2), error()], started=2.0),
}


@pytest.mark.parametrize("exchange", STUCK.values(), ids=STUCK)
def test_a_server_that_is_stuck_after_a_refusal_fails(exchange: Exchange) -> None:
    judgement = judge("ERR-06", REFUSED, exchange)
    assert judgement.verdict is Verdict.FAIL
    assert "after requests that were refused" in words(judgement)


def test_a_valid_request_that_is_refused_for_what_it_is_counts_as_a_refusal() -> None:
    no = refusal("defaults/absent", started=2.0)
    assert judge("ERR-06", REFUSED, no, generation("defaults/explicit", picture(16, 8), started=3.0)).verdict is (
        Verdict.PASS
    )
    assert judge("ERR-06", REFUSED, no, refusal("defaults/explicit", started=3.0)).verdict is Verdict.FAIL


def test_a_picture_that_cannot_be_read_is_not_the_next_ones() -> None:
    bad = refusal("refuse-image/image-not-an-image", started=1.5, to=request({**FIELDS, "image": "aGVsbG8="}))
    asked = {**FIELDS, "image": "iVBO"}
    forms = ("prompt-quotes", "image-unfit")

    def shown(number: int, *names: str, started: float = 3.0) -> Exchange:
        painted = generation(f"defaults/absent-forms-{number}", picture(16, 8), fields=asked, started=started)
        return replace(painted, notes=((NOTE, " ".join(names)),))

    first = replace(
        refusal("defaults/absent-forms-0", started=2.0, to=request(asked)), notes=((NOTE, " ".join(forms)),)
    )
    each = [shown(1, forms[0]), shown(2, forms[1])]
    judgement = judge("ERR-06", REFUSED, bad, first, *each)
    assert (judgement.verdict, len(judgement.findings)) == (Verdict.FAIL, 1), words(judgement)
    assert "an image that is read after one that cannot be" in words(judgement)
    assert judge("ERR-06", REFUSED, bad, first, each[0]).verdict is Verdict.PASS  # its other form may be to blame
    assert judge("ERR-06", REFUSED, first, *each).verdict is Verdict.PASS  # nothing bad came before it
    assert judge("ERR-06", REFUSED, bad, shown(0, *forms, started=2.0), *each).verdict is Verdict.PASS


def test_an_upscale_that_was_refused_keeps_no_lock() -> None:
    card = picture(12, 8)
    to = upscale_request(card)
    alive = answer("upscale-refuse/health", 200, to=HEALTH)
    bad = refusal("upscale-refuse/width-missing", started=3.0, to=to)

    def mute(label: str, started: float, end: End = End.IDLE_TIMEOUT) -> Exchange:
        return answer(label, None, end=end, to=to, started=started)

    again, odd = mute("upscale-refuse/height-missing", 4.0), mute("upscale/odd", 5.0)
    before = (REFUSED, PAINTED, alive, bad)
    judgement = judge("ERR-06", *before, again, odd)
    assert (judgement.verdict, len(judgement.findings)) == (Verdict.FAIL, 1), words(judgement)
    assert "an upscale that is answered after one that was refused" in words(judgement)
    assert judge("ERR-06", *before, odd).verdict is Verdict.PASS  # it may never answer an upscale
    assert judge("ERR-06", *before, refusal(again.label, started=4.0, to=to), odd).verdict is Verdict.PASS
    assert judge("ERR-06", *before, again, upscale("upscale/odd", card, started=5.0)).verdict is Verdict.PASS
    assert judge("ERR-06", *before, again, replace(odd, end=End.RESET)).verdict is Verdict.PASS
    ill = answer("upscale-refuse/health", None, end=End.IDLE_TIMEOUT, to=HEALTH)
    assert judge("ERR-06", REFUSED, PAINTED, ill, bad, again, odd).verdict is Verdict.PASS


def test_bad_utf8_is_an_error() -> None:
    for status in (400, 500, 415):
        assert judge("ERR-07", answer("refuse/body-not-utf8", status, to=SENT)).verdict is Verdict.PASS
    for wrong in (
        stream("refuse/body-not-utf8", [progress(1, 4)], end=End.HUNG_UP),
        answer("refuse/body-not-utf8", None, end=End.RESET, to=SENT),
    ):
        judgement = judge("ERR-07", wrong)
        assert judgement.verdict is Verdict.FAIL
        assert "not valid UTF-8" in words(judgement)


def test_bad_utf8_should_be_refused_in_the_envelope() -> None:
    assert judge("ERR-08", *RIGHT, refusal("refuse/body-not-utf8")).verdict is Verdict.PASS
    for wrong in (refusal("refuse/body-not-utf8", 500), answer("refuse/body-not-utf8", 400, to=SENT)):
        judgement = judge("ERR-08", *RIGHT, wrong)
        assert judgement.verdict is Verdict.WARN
        assert "status 400 and the error envelope" in words(judgement)
