"""The checks of the extension cors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local_dream_conformance.checks.check import REGISTRY
from local_dream_conformance.core.exchange import Request
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run.evaluator import Evaluator
from tests.conformance.checks.extension_verdicts import (
    CONTRACT,
    DECLARED,
    KNOWN,
    SCENARIOS,
    having,
    judged,
    of,
)
from tests.conformance.extended_server import ExtendedServer, ask
from tests.conformance.transcripts import Found, answer, refusal, request, words


def test_a_preflight_that_wants_credentials() -> None:
    refused = judged(ExtendedServer(wrong="preflight-401"))
    assert refused["EXT-COR-01"].verdict is Verdict.NOT_APPLICABLE
    assert "make those requests that need no preflight" in refused["EXT-COR-01"].reason
    half = answer("cors/preflight-upscale", 401, to=Request("OPTIONS", "/upscale"))
    judgements = judged(ExtendedServer(), DECLARED, half)
    assert judgements["EXT-COR-02"].verdict is Verdict.FAIL
    assert "no credentials" in words(judgements["EXT-COR-02"])
    assert judgements["EXT-COR-07"].verdict is Verdict.PASS, "what is not let in need not say for how long"


@pytest.mark.parametrize(
    ("lacking", "quiet"),
    [("upscale", {"EXT-COR-04", "EXT-COR-06"}), ("generate", {"EXT-COR-03"})],
)
def test_pages_need_no_preflight_of_what_is_not_there(lacking: str, quiet: set[str]) -> None:
    exchanges = ask(ExtendedServer(without=(lacking,)), KNOWN, *SCENARIOS)
    judge = Evaluator(CONTRACT, REGISTRY, Found(exchanges), KNOWN)
    of_cors = {id: judge.judge(id) for id in of("cors")}
    assert having(of_cors, Verdict.NOT_APPLICABLE) == quiet
    assert having(of_cors, Verdict.PASS) == of("cors") - quiet
    assert all(f"no /{lacking}" in of_cors[id].reason for id in quiet)


def test_a_path_that_is_no_upscaler_does_not_show_that_there_is_no_upscale() -> None:
    missing = answer("cors-upscale/page", 404, to=Request("POST", "/upscale", (("Origin", "https://page.example"),)))
    assert judged(ExtendedServer(), DECLARED, missing)["EXT-COR-06"].verdict is Verdict.UNTESTED


def test_another_origin_is_not_let_in() -> None:
    assert judged(ExtendedServer(wrong="other-origin"))["EXT-COR-01"].verdict is Verdict.NOT_APPLICABLE


def test_the_origin_itself_will_do_instead_of_the_star() -> None:
    asked = (("Origin", "https://page.example"),)
    let = (("Access-Control-Allow-Origin", "https://page.example"),)
    exchange = refusal("cors/refused-generate", to=request({}, headers=asked))
    judgement = judged(ExtendedServer(), DECLARED, replace(exchange, headers=(*exchange.headers, *let)))["EXT-COR-05"]
    assert judgement.verdict is Verdict.PASS
    twice = replace(exchange, headers=(*exchange.headers, *let, *let))
    assert judged(ExtendedServer(), DECLARED, twice)["EXT-COR-05"].verdict is Verdict.FAIL
