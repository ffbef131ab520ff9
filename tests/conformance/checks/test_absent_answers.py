"""An answer that never came, or that was cut, is evidence for nothing but its own absence: no extension is said to be
absent because of it, and nothing is said of what would have stood in it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from local_dream_conformance.checks import (  # noqa: F401  (registers the checks)
    errors,
    extension_cors,
    extension_formats,
    extension_prompt_weights,
    extension_tokenize,
    health,
    robustness,
    upscale_request,
)
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.verdict import Verdict
from tests.conformance.transcripts import answer, generation, judge, progress, stream, words

ALIVE = answer("health/get", 200)
CUT = (End.TRUNCATED, End.RESET, End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT)
JSON = (("Content-Type", "application/json"),)
PREFLIGHT = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Headers", "*"))


def count(label: str, tokens: int | None, end: End = End.COMPLETE) -> Exchange:
    """An answer of /tokenize; None where there was none."""
    asked = Request("POST", "/tokenize", JSON, b'{"prompt": "a"}')
    body = json.dumps({"count": tokens, "max_length": 77}).encode()
    if tokens is None:
        return answer(label, None, end=end, to=asked)
    return answer(label, 200, body if end is End.COMPLETE else body[:5], headers=JSON, end=end, to=asked)


@pytest.mark.parametrize("end", CUT)
def test_a_stream_that_was_cut_does_not_show_that_formats_are_absent(end: End) -> None:
    cut = stream("formats/png", [progress(1, 4)], end=end)
    assert judge("EXT-FMT-01", ALIVE, generation("base"), cut).verdict is Verdict.UNTESTED
    whole = generation("formats/png")
    assert judge("EXT-FMT-01", ALIVE, generation("base"), whole).verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize("end", CUT)
def test_a_count_that_was_cut_does_not_show_that_it_is_absent(end: End) -> None:
    assert judge("EXT-TOK-01", count("tokenize/short", 5, end)).verdict is Verdict.UNTESTED
    assert judge("EXT-TOK-01", count("tokenize/short", None, end)).verdict is Verdict.UNTESTED


@pytest.mark.parametrize("silent", ["tokenize/unweighted", "tokenize/weighted"])
def test_a_count_that_never_came_says_nothing_of_weights(silent: str) -> None:
    labels = ("tokenize/short", "tokenize/unweighted", "tokenize/weighted")
    counts = [
        count(label, None if label == silent else 5, End.IDLE_TIMEOUT if label == silent else End.COMPLETE)
        for label in labels
    ]
    assert judge("EXT-WGT-01", *counts).verdict is Verdict.UNTESTED


def test_an_error_that_the_suite_did_not_wait_for_is_not_said_to_be_no_json() -> None:
    asked = Request("POST", "/upscale", (("X-Upscaler-Path", "no-such-upscaler.bin"),))
    half = answer("upscale-refuse/path-unknown", 400, b'{"error": {"mess', to=asked, headers=JSON)
    envelope = b'{"error": {"message": "no", "type": "request_error"}}'
    whole = answer("refuse/prompt-missing", 400, envelope, to=Request("POST", "/generate"), headers=JSON)
    assert judge("UPS-REQ-09", ALIVE, whole, replace(half, end=End.IDLE_TIMEOUT)).verdict is Verdict.PASS
    assert judge("UPS-REQ-09", ALIVE, whole, half).verdict is not Verdict.PASS


def test_a_preflight_that_was_not_answered_is_not_said_to_lack_headers() -> None:
    def preflight(name: str) -> Request:
        return Request("OPTIONS", f"/{name}", (("Origin", "https://page.example"),))

    one = answer("cors/preflight-generate", None, end=End.IDLE_TIMEOUT, to=preflight("generate"))
    other = answer("cors/preflight-upscale", 204, headers=PREFLIGHT, to=preflight("upscale"))
    assert judge("EXT-COR-02", one, other).findings
    judgement = judge("EXT-COR-03", one, other)
    assert judgement.verdict is Verdict.UNTESTED
    assert "the preflight got no answer" in words(judgement)


def test_error_answers_that_never_came_say_nothing_of_what_follows_them() -> None:
    silent = answer("refuse/prompt-missing", None, end=End.IDLE_TIMEOUT, to=Request("POST", "/generate"))
    assert judge("ERR-05", ALIVE, silent, answer("refuse/health", 200)).verdict is Verdict.UNTESTED
    series = [
        answer("keep-alive/refused", None, end=End.IDLE_TIMEOUT, to=Request("POST", "/generate")),
        answer("keep-alive/health", 200),
    ]
    assert judge("ROB-07", *series).verdict is Verdict.UNTESTED
