from __future__ import annotations

from dataclasses import replace

import pytest

from local_dream_conformance.core.exchange import End, Exchange, Read, Request
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.run import suite
from tests.conformance import transcripts
from tests.conformance.transcripts import JSON_HEADERS, answer, picture, refusal, upscale, upscale_request, words

suite.load()
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
KNOWN = replace(transcripts.SETTINGS, upscaler_path="/models/upscaler.bin")
CARD = picture(12, 8)
ASKED = upscale_request(CARD)


def judge(id: str, *exchanges: Exchange, path_known: bool = True) -> Judgement:
    return transcripts.judge(id, ALIVE, *exchanges, settings=KNOWN if path_known else transcripts.SETTINGS)


def refused(label: str, status: int = 400, to: Request = ASKED, message: str = "no") -> Exchange:
    return refusal(label, status, message=message, to=to)


UNKNOWN = refused("upscale-refuse/path-unknown", 404)
MUST = {
    "UPS-REQ-01": ["upscale-refuse/width-missing"],
    "UPS-REQ-02": ["upscale-refuse/height-missing"],
    "UPS-REQ-03": ["upscale-refuse/path-missing"],
    "UPS-REQ-04": ["upscale-refuse/width-not-a-number", "upscale-refuse/height-not-a-number"],
    "UPS-REQ-05": ["upscale-refuse/body-short"],
    "UPS-REQ-06": ["upscale-refuse/body-long"],
    "UPS-REQ-07": ["upscale-refuse/body-empty"],
}
SHOULD = {
    "UPS-REQ-12": ["upscale-range/width-zero", "upscale-range/height-zero"],
    "UPS-REQ-13": ["upscale-range/both-negative", "upscale-range/width-negative"],
    "UPS-REQ-14": ["upscale-range/width-suffix", "upscale-range/height-suffix", "upscale-range/width-fraction"],
    "UPS-REQ-15": ["upscale-range/width-overflow", "upscale-range/height-overflow"],
}
LABELS = [(id, label) for id, labels in {**MUST, **SHOULD}.items() for label in labels]


@pytest.mark.parametrize(("id", "labels"), {**MUST, **SHOULD}.items())
def test_400_is_right_for_what_must_be_refused(id: str, labels: list[str]) -> None:
    judgement = judge(id, *(refused(label) for label in labels))
    assert judgement.verdict is Verdict.PASS
    assert set(judgement.evidence) == set(labels)


@pytest.mark.parametrize(("id", "label"), LABELS)
@pytest.mark.parametrize("status", [200, 404, 500, None])
def test_anything_else_is_not(id: str, label: str, status: int | None) -> None:
    others = [refused(other) for other_id, other in LABELS if other_id == id and other != label]
    wrong = answer(label, status, to=ASKED, end=End.RESET if status is None else End.COMPLETE)
    judgement = judge(id, UNKNOWN, refused("upscale-refuse/another"), *others, wrong)
    assert judgement.verdict is (Verdict.FAIL if id in MUST else Verdict.WARN)
    assert [finding.exchange for finding in judgement.findings] == [label]


def test_negative_sizes_are_asked_only_where_that_is_allowed() -> None:
    judgement = judge("UPS-REQ-13", refused("upscale-range/width-zero"))
    assert judgement.verdict is Verdict.UNTESTED
    assert "--destructive" in judgement.reason


def test_a_server_that_looks_at_the_path_first_is_not_judged_by_a_made_up_one() -> None:
    same = refused("upscale-refuse/body-short", 404)
    judgement = judge("UPS-REQ-05", UNKNOWN, same, refused("upscale-refuse/width-missing"), path_known=False)
    assert judgement.verdict is Verdict.NOT_APPLICABLE
    assert "--upscaler-path" in judgement.reason
    assert judge("UPS-REQ-05", UNKNOWN, same, refused("upscale-refuse/width-missing")).verdict is Verdict.FAIL
    another = refused("upscale-refuse/body-short", 500, message="bad alloc")
    assert judge("UPS-REQ-05", UNKNOWN, another, path_known=False).verdict is Verdict.FAIL


def test_a_server_without_upscale_is_not_judged() -> None:
    judgement = judge("UPS-REQ-01", refused("upscale-refuse/width-missing", 404))
    assert judgement.verdict is Verdict.NOT_APPLICABLE


def flagged(label: str, flag: str | None, status: int = 200) -> Exchange:
    card = picture(17, 13)
    sent = upscale_request(card) if flag is None else upscale_request(card, X_Use_OpenCL=flag)
    return upscale(label, card, to=sent) if status == 200 else refused(label, status, to=sent)


def test_the_flag_is_taken_in_every_form() -> None:
    forms = [flagged(f"upscale/{flag}", flag) for flag in ("true", "1", "false", "0", None)]
    judgement = judge("UPS-REQ-08", *forms)
    assert judgement.verdict is Verdict.PASS
    assert judgement.assertions == 5


def test_a_form_of_the_flag_that_is_refused_fails_by_its_own_id() -> None:
    exchanges = [flagged("upscale/odd-flagged", "1", 400), flagged("upscale/odd", None)]
    judgement = judge("UPS-REQ-08", *exchanges)
    assert judgement.verdict is Verdict.FAIL
    assert "X-Use-OpenCL: 1" in words(judgement)
    assert judge("UPS-ANS-01", *exchanges).verdict is Verdict.PASS


def test_an_unknown_path_is_an_error_with_the_envelope() -> None:
    for status in (400, 404, 500):
        assert judge("UPS-REQ-09", refused("upscale-refuse/path-unknown", status), ENOUGH).verdict is Verdict.PASS
    bare = answer("upscale-refuse/path-unknown", 404, b"not found", to=ASKED)
    judgement = judge("UPS-REQ-09", bare, ENOUGH)
    assert judgement.verdict is Verdict.FAIL
    assert "not JSON" in words(judgement)
    judgement = judge("UPS-REQ-09", upscale("upscale-refuse/path-unknown", CARD), ENOUGH)
    assert judgement.verdict is Verdict.FAIL
    assert "takes another upscaler" in words(judgement)


ENOUGH = refused("upscale-refuse/width-missing")
"""An error answer with the envelope, for the requirements about envelopes that come first."""


def test_an_unknown_path_should_be_the_clients_mistake() -> None:
    empty = refused("upscale-range/path-empty", to=upscale_request(CARD, X_Upscaler_Path=""))
    assert judge("UPS-REQ-10", UNKNOWN, empty, ENOUGH).verdict is Verdict.PASS
    judgement = judge("UPS-REQ-10", refused("upscale-refuse/path-unknown", 500), empty, ENOUGH)
    assert judgement.verdict is Verdict.WARN
    judgement = judge("UPS-REQ-10", UNKNOWN, replace(empty, status=200), ENOUGH)
    assert judgement.verdict is Verdict.WARN
    assert "an empty X-Upscaler-Path" in words(judgement)


PASSWD = upscale_request(CARD, X_Upscaler_Path="../../etc/passwd")
LEAK = b'{"error": {"message": "bad model: root:x:0:0:root", "type": "request_error"}}'


def test_no_other_file_is_read_or_shown() -> None:
    right = refused("upscale-range/path-traversal", to=PASSWD, message="no model ../../etc/passwd")
    assert judge("UPS-REQ-11", UNKNOWN, right).verdict is Verdict.PASS
    leaking = answer("upscale-range/path-traversal", 400, LEAK, to=PASSWD, headers=JSON_HEADERS)
    judgement = judge("UPS-REQ-11", UNKNOWN, leaking)
    assert judgement.verdict is Verdict.FAIL
    assert "quotes the file" in words(judgement)
    judgement = judge("UPS-REQ-11", UNKNOWN, right, upscale("upscale-range/path-absolute", CARD))
    assert judgement.verdict is Verdict.FAIL
    assert [finding.exchange for finding in judgement.findings] == ["upscale-range/path-absolute"]


def test_a_server_that_looks_at_no_path_reads_no_file() -> None:
    taken = [upscale(f"upscale-range/path-{how}", CARD) for how in ("traversal", "absolute")]
    whatever = upscale("upscale-refuse/path-unknown", CARD)
    assert judge("UPS-REQ-11", whatever, *taken).verdict is Verdict.PASS
    quoted = replace(taken[0], reads=(Read(0.1, LEAK),))
    assert judge("UPS-REQ-11", whatever, quoted).verdict is Verdict.FAIL


OVERFLOW = refused("upscale-range/size-overflow", to=upscale_request(CARD, body=b"", X_Image_Width="65536"))
MISFIT = upscale_request(CARD, X_Image_Width="5")


def test_generated_sizes_are_all_refused() -> None:
    right = refused("generated/upscale/000", to=MISFIT)
    assert judge("UPS-REQ-16", OVERFLOW, right).verdict is Verdict.PASS
    shrunk = upscale("generated/upscale/shrunk", CARD, to=MISFIT)
    judgement = judge("UPS-REQ-16", OVERFLOW, right, replace(shrunk, label="generated/upscale/001"), shrunk)
    assert judgement.verdict is Verdict.FAIL
    assert [finding.exchange for finding in judgement.findings] == ["generated/upscale/shrunk"]
    assert "5 * 8 * 3 is 120, and the body has 288 bytes" in words(judgement)
    assert judge("UPS-REQ-16", replace(OVERFLOW, status=200), right).verdict is Verdict.FAIL


def test_generated_sizes_with_a_made_up_path_say_nothing_where_the_path_comes_first() -> None:
    known = refused("upscale-refuse/width-missing")
    first = refused("generated/upscale/000", 404, to=MISFIT)
    assert judge("UPS-REQ-16", UNKNOWN, known, OVERFLOW, first, path_known=False).verdict is Verdict.NOT_APPLICABLE


def test_a_size_with_underscores_is_no_integer() -> None:
    known = refused("generated/upscale/000")
    assert judge("UPS-REQ-16", known, refused("upscale-range/width-underscore")).verdict is Verdict.PASS
    judgement = judge("UPS-REQ-16", known, answer("upscale-range/width-underscore", 200, to=ASKED))
    assert judgement.verdict is Verdict.FAIL
    assert "passes over underscores" in words(judgement)


@pytest.mark.parametrize(("status", "verdict"), [(400, Verdict.PASS), (399, Verdict.FAIL), (500, Verdict.FAIL)])
def test_a_body_that_does_not_fit_is_refused_whatever_the_flag_is(status: int, verdict: Verdict) -> None:
    known = refused("generated/upscale/000")
    short = refused("upscale-range/opencl-other-body-short", status)
    assert judge("UPS-REQ-16", known, short).verdict is verdict
