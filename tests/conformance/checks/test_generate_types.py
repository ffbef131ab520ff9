from __future__ import annotations

import pytest

from local_dream_conformance.checks import generate_types, health
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.fields import documented
from local_dream_conformance.core.verdict import Judgement, Verdict
from tests.conformance import transcripts
from tests.conformance.transcripts import answer, generation, picture, progress, refusal, request, stream, words

assert generate_types
assert health
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
IDS = {field.ids["type"]: name for name, field in documented().items()}


def judge(id: str, *exchanges: Exchange) -> Judgement:
    return transcripts.judge(id, ALIVE, *exchanges)


def label(field: str, kind: str) -> str:
    scenario = "refuse-image" if field in ("image", "mask") else "refuse"
    return f"{scenario}/type/{field}-{kind}"


def wrong(field: str) -> Request:
    return request({"prompt": "a red house", field: []})


@pytest.mark.parametrize(("id", "field"), IDS.items(), ids=IDS)
def test_refused_is_right_and_everything_else_is_wrong(id: str, field: str) -> None:
    sent = wrong(field)
    right = refusal(label(field, "array"), to=sent)
    assert judge(id, right).verdict is Verdict.PASS
    for other in (
        refusal(label(field, "object"), 500, to=sent),
        generation(label(field, "object"), picture(16, 8), fields={"steps": 1}, sent={"prompt": "a", field: []}),
        answer(label(field, "object"), None, end=End.RESET, to=sent),
    ):
        judgement = judge(id, right, other)
        assert judgement.verdict is Verdict.FAIL
        assert f"{field}: []" in words(judgement)
        assert [finding.exchange for finding in judgement.findings] == [label(field, "object")]


def test_a_500_is_told_to_be_the_clients_mistake() -> None:
    assert "exception" in words(judge("GEN-TYP-03", refusal(label("steps", "string"), 500, to=wrong("steps"))))


def test_a_prefix_of_a_field_is_not_that_field() -> None:
    assert judge("GEN-TYP-12", refusal(label("show_diffusion_stride", "array"))).verdict is Verdict.UNTESTED


def test_a_server_that_only_upscales_is_not_judged() -> None:
    judgement = judge("GEN-TYP-03", refusal(label("steps", "array"), 404, to=wrong("steps")))
    assert judgement.verdict is Verdict.NOT_APPLICABLE
    assert "no /generate" in judgement.reason


def test_a_server_that_is_gone_is_not_blamed_for_each_field() -> None:
    gone = answer(label("steps", "array"), None, end=End.UNREACHABLE, to=wrong("steps"))
    assert judge("GEN-TYP-03", gone).verdict is Verdict.BLOCKED


REFUSED = refusal("generated/generate/000", to=request({"prompt": "a", "steps": "1"}))


def test_generated_requests_that_are_all_refused_pass() -> None:
    judgement = judge("GEN-TYP-15", REFUSED, refusal("generated/generate/001", to=request({"prompt": 1})))
    assert judgement.verdict is Verdict.PASS
    assert judgement.assertions == 2


def test_of_the_generated_requests_that_are_not_refused_the_shrunk_one_is_shown() -> None:
    judgement = judge(
        "GEN-TYP-15",
        REFUSED,
        stream("generated/generate/001", [progress(1, 4)], fields={"prompt": "a", "cfg": [1, 2]}, end=End.HUNG_UP),
        stream("generated/generate/002", [progress(1, 4)], fields={"prompt": "a", "cfg": [1]}, end=End.HUNG_UP),
        stream("generated/generate/shrunk", [progress(1, 4)], fields={"prompt": "0", "cfg": []}, end=End.HUNG_UP),
    )
    assert judgement.verdict is Verdict.FAIL
    assert [finding.exchange for finding in judgement.findings] == ["generated/generate/shrunk"]
    assert "cfg is not a number" in words(judgement)
    assert "001, 002" in words(judgement)


def test_generated_requests_say_nothing_of_a_server_that_only_upscales() -> None:
    absent = refusal("generated/generate/000", 404, to=request({"prompt": 1}))
    assert judge("GEN-TYP-15", absent).verdict is Verdict.NOT_APPLICABLE
