from __future__ import annotations

from dataclasses import replace

import pytest

from local_dream_conformance.checks import health
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement, Verdict
from tests.conformance import transcripts
from tests.conformance.transcripts import answer, complete, picture, progress, refusal, stream, words

assert health  # importing it registers the checks
ALLOW = (("Allow", "POST, OPTIONS"),)
GET = Request("GET", "/health")
HEAD = Request("HEAD", "/health")
NOWHERE = Request("GET", "/no-such-path")
NOWHERE_POST = Request("POST", "/no-such-path", (), b"{}")
BELOW = refusal("health/path-below-post", 404, to=Request("POST", "/generate/no-such-path", (), b"{}"))
WRONG = Request("GET", "/generate")
ABANDONED = stream("hang-up/abandoned", [progress(1, 9), progress(2, 9)], end=End.HUNG_UP)
OVER = stream("hang-up/abandoned", [progress(1, 1), complete(picture(16, 8))])
ALIVE = answer("health/get", 200, b"ok", to=GET)


def judge(id: str, *exchanges: Exchange, settings: Settings = transcripts.SETTINGS) -> Judgement:
    """With a server whose GET /health is right, unless the exchanges say otherwise."""
    return transcripts.judge(id, ALIVE, *exchanges, settings=settings)


GOOD: dict[str, tuple[str, list[Exchange]]] = {
    "alive": ("HLT-01", []),
    "anonymous": ("HLT-02", [answer("health/anonymous", 200, to=GET)]),
    "never with credentials": ("HLT-02", []),
    "meanwhile": ("HLT-03", [ABANDONED, answer("hang-up/health-meanwhile", 200, to=GET)]),
    "head": ("HLT-04", [answer("health/head", 200, to=HEAD)]),
    "404": ("SRV-01", [refusal("health/unknown-path", 404, to=NOWHERE)]),
    "404 below a path that is there": ("SRV-01", [refusal("health/unknown-path", 404, to=NOWHERE), BELOW]),
    "404 for a wrong method": ("SRV-02", [refusal("health/wrong-method-generate", 404, to=WRONG)]),
    "405": ("SRV-02", [refusal("health/wrong-method-generate", 405, to=WRONG)]),
    "405 with Allow": ("SRV-03", [answer("health/wrong-method-generate", 405, to=WRONG, headers=ALLOW)]),
    "a path that is not there": (
        "SRV-03",
        [
            answer("health/wrong-method-generate", 404, to=WRONG),
            answer("health/wrong-method-upscale", 405, to=Request("GET", "/upscale"), headers=ALLOW),
            refusal("refuse/prompt-missing", 404),
        ],
    ),
}


@pytest.mark.parametrize(("id", "exchanges"), GOOD.values(), ids=GOOD)
def test_passes(id: str, exchanges: list[Exchange]) -> None:
    assert judge(id, *exchanges).verdict is Verdict.PASS


BAD: dict[str, tuple[str, list[Exchange], str]] = {
    "500": ("HLT-01", [answer("health/get", 500, to=GET)], "status 200 for GET /health"),
    "no answer": (
        "HLT-01",
        [answer("health/get", None, end=End.IDLE_TIMEOUT, to=GET)],
        "no answer (idle-timeout)",
    ),
    "wants a token": ("HLT-02", [refusal("health/anonymous", 401, to=GET)], "without credentials"),
    "busy meanwhile": ("HLT-03", [ABANDONED, answer("hang-up/health-meanwhile", 503, to=GET)], "status 503"),
    "silent meanwhile": (
        "HLT-03",
        [ABANDONED, answer("hang-up/health-meanwhile", None, end=End.IDLE_TIMEOUT, to=GET)],
        "idle-timeout",
    ),
    "no HEAD": ("HLT-04", [answer("health/head", 405, to=HEAD)], "status 405"),
    "HEAD with a body": (
        "HLT-04",
        [answer("health/head", 200, to=HEAD, notes=(("bytes-after-the-answer", "2"),))],
        "2 bytes after the head",
    ),
    "catch-all": ("SRV-01", [answer("health/unknown-path", 200, b"hi", to=NOWHERE)], "a route that catches all?"),
    "catch-all POST": (
        "SRV-01",
        [refusal("health/unknown-path", 404, to=NOWHERE), refusal("health/unknown-path-post", 400, to=NOWHERE_POST)],
        "POST /no-such-path",
    ),
    "found by its beginning": (
        "SRV-01",
        [BELOW, answer("health/path-below", 200, to=Request("GET", "/health/no-such-path"))],
        "looks at the beginning of a path?",
    ),
    "refused by its beginning": (
        "SRV-01",
        [refusal("health/path-below-post", 400, to=BELOW.request)],
        "status 404 for POST /generate/no-such-path",
    ),
    "GET generates": ("SRV-02", [answer("health/wrong-method-generate", 200, to=WRONG)], "GET /generate"),
    "no Allow": ("SRV-03", [answer("health/wrong-method-generate", 405, to=WRONG)], "no Allow"),
    "Allow of another": (
        "SRV-03",
        [answer("health/wrong-method-generate", 405, to=WRONG, headers=(("Allow", "GET"),))],
        "Allow: POST",
    ),
    "404 although the path is there": (
        "SRV-03",
        [answer("health/wrong-method-generate", 404, to=WRONG), refusal("refuse/prompt-missing", 400)],
        "status 405",
    ),
}


@pytest.mark.parametrize(("id", "exchanges", "said"), BAD.values(), ids=BAD)
def test_is_broken(id: str, exchanges: list[Exchange], said: str) -> None:
    judgement = judge(id, *exchanges)
    assert judgement.verdict in (Verdict.FAIL, Verdict.WARN)
    assert said in words(judgement)


def test_health_asked_only_with_a_token_says_nothing_about_one_without() -> None:
    settings = replace(transcripts.SETTINGS, headers=(("X-Token", "secret"),))
    asked = replace(ALIVE, request=replace(GET, headers=(("x-token", "***"),)))
    assert judge("HLT-02", asked, settings=settings).verdict is Verdict.UNTESTED


def test_nothing_can_be_asked_meanwhile_of_a_generation_that_is_over() -> None:
    judgement = judge("HLT-03", OVER, answer("hang-up/health-meanwhile", 500, to=GET))
    assert judgement.verdict is Verdict.NOT_APPLICABLE
    assert "over before" in judgement.reason


def test_a_server_without_generation_is_not_asked_meanwhile() -> None:
    judgement = judge("HLT-03", refusal("hang-up/abandoned", 404), refusal("hang-up/next", 404))
    assert judgement.verdict is Verdict.NOT_APPLICABLE
    assert "the server has no /generate" in judgement.reason


def test_health_that_waits_for_the_end_of_the_generation_is_found() -> None:
    over = stream("hang-up/abandoned", [progress(1, 1), complete(picture(16, 8))], at=[0.1, 2.0])
    waited = answer("hang-up/health-meanwhile", 200, to=GET, started=0.2, took=1.9)
    judgement = judge("HLT-03", over, waited)
    assert judgement.verdict is Verdict.WARN
    assert "one thing at a time" in words(judgement)
    soon = answer("hang-up/health-meanwhile", 200, to=GET, started=0.2, took=0.9)
    assert judge("HLT-03", over, soon).verdict is Verdict.PASS


def test_the_rest_is_blocked_where_health_fails() -> None:
    judgement = judge("SRV-01", answer("health/get", 500, to=GET), answer("health/unknown-path", 200, to=NOWHERE))
    assert judgement.verdict is Verdict.BLOCKED
    assert "HLT-01" in judgement.reason
