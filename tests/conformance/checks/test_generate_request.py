from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.run import suite
from tests.conformance import transcripts
from tests.conformance.transcripts import (
    FIELDS,
    answer,
    coded,
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
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
BASE = generation("base", fields={**FIELDS, "show_diffusion_process": True})
REPEAT = replace(BASE, label="repeat")
BARE = {"prompt": "a red house", "seed": 7}
PNG, JPEG = coded(picture(), "png"), coded(picture(), "jpeg")
UNFIT = coded(picture(48, 128), "png")
WITHOUT_IMAGES = replace(transcripts.SETTINGS, img2img=False)


def judge(id: str, *exchanges: Exchange, settings: Settings = transcripts.SETTINGS) -> Judgement:
    return transcripts.judge(id, ALIVE, BASE, REPEAT, *exchanges, settings=settings)


def taken(label: str, **fields: Any) -> Exchange:
    """A generation with these fields beside FIELDS, as it begins."""
    return stream(label, [progress(1, 4)], fields={**FIELDS, **fields}, end=End.HUNG_UP)


def refused(label: str, status: int = 400, **fields: Any) -> Exchange:
    return refusal(label, status, to=request({**FIELDS, **fields}))


REFUSALS = {
    "GEN-REQ-01": ["refuse/prompt-missing"],
    "GEN-REQ-02": ["refuse/json-malformed", "refuse/json-trailing", "refuse/json-nan"],
    "GEN-REQ-03": ["refuse/body-empty"],
    "GEN-REQ-04": ["refuse/json-array", "refuse/json-string", "refuse/json-number", "refuse/json-null"],
    "GEN-REQ-06": ["refuse/prompt-empty"],
    "GEN-REQ-07": ["refuse/prompt-empty"],
    "GEN-REQ-12": ["refuse-image/image-not-base64", "refuse-image/image-junk-in-base64"],
    "GEN-REQ-13": ["refuse-image/image-not-an-image"],
    "GEN-REQ-14": ["refuse-image/mask-not-base64"],
    "GEN-REQ-15": ["refuse-image/mask-not-an-image"],
    "GEN-REQ-16": ["range/mask-without-image"],
}


@pytest.mark.parametrize(("id", "labels"), REFUSALS.items(), ids=REFUSALS)
def test_400_is_right_for_what_must_be_refused(id: str, labels: list[str]) -> None:
    right = [refusal(label) for label in labels]
    judgement = judge(id, *right)
    assert judgement.verdict is Verdict.PASS
    assert judgement.evidence == tuple(labels)
    assert judge(id, refusal("refuse/another")).verdict is Verdict.UNTESTED


@pytest.mark.parametrize(
    ("id", "label"), [(id, label) for id, labels in REFUSALS.items() for label in labels if id != "GEN-REQ-07"]
)
@pytest.mark.parametrize("status", [200, 404, 500, None])
def test_anything_else_is_not(id: str, label: str, status: int | None) -> None:
    wrong = (
        stream(label, [progress(1, 4)], end=End.HUNG_UP)
        if status == 200
        else answer(label, status, to=request(), end=End.RESET if status is None else End.COMPLETE)
    )
    judgement = transcripts.judge(id, ALIVE, BASE, *(refusal(other) for other in REFUSALS[id] if other != label), wrong)
    assert judgement.verdict is (Verdict.WARN if id == "GEN-REQ-16" else Verdict.FAIL)
    assert [finding.exchange for finding in judgement.findings] == [label]


def test_an_empty_prompt_may_be_refused_by_an_error_event() -> None:
    late = stream("refuse/prompt-empty", [error("prompt is empty")])
    assert judge("GEN-REQ-06", late).verdict is Verdict.PASS
    judgement = judge("GEN-REQ-07", late)
    assert judgement.verdict is Verdict.WARN
    assert "after the stream has begun" in words(judgement)


def test_where_an_empty_prompt_is_painted_it_is_said_once() -> None:
    painted = generation("refuse/prompt-empty", picture(16, 8))
    assert judge("GEN-REQ-06", painted).verdict is Verdict.FAIL
    assert judge("GEN-REQ-07", painted).verdict is Verdict.BLOCKED


def test_a_server_that_only_upscales_is_not_judged() -> None:
    absent = refusal("refuse/prompt-missing", 404)
    assert transcripts.judge("GEN-REQ-01", ALIVE, absent).verdict is Verdict.NOT_APPLICABLE


def bare(**fields: Any) -> Exchange:
    return stream("defaults/absent", [progress(1, 20)], fields={**BARE, **fields}, end=End.HUNG_UP)


def test_everything_but_the_prompt_is_optional() -> None:
    without_seed = stream("overlap/second", [progress(1, 4)], fields={"prompt": "a"}, end=End.HUNG_UP)
    judgement = judge("GEN-REQ-05", bare(), without_seed)
    assert judgement.verdict is Verdict.PASS
    assert judgement.assertions == 2


MUST_BE_SENT: dict[str, tuple[list[Exchange], str]] = {
    "steps": ([refusal("defaults/absent", to=request(BARE))], "with prompt and seed alone"),
    "steps, said late": ([stream("defaults/absent", [error()], fields=BARE)], "with prompt and seed alone"),
    "seed": ([bare(), refusal("overlap/second", to=request({"prompt": "a"}))], "without seed"),
    "no images": (
        [refusal("defaults/absent", to=request({**BARE, "image": PNG}))],
        "--no-img2img",
    ),
}


@pytest.mark.parametrize(("exchanges", "said"), MUST_BE_SENT.values(), ids=MUST_BE_SENT)
def test_a_field_that_must_be_sent_fails(exchanges: list[Exchange], said: str) -> None:
    judgement = judge("GEN-REQ-05", *exchanges)
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)


ODD: dict[str, tuple[str, str, Mapping[str, Any], str]] = {
    "unknown field": ("GEN-REQ-08", "overlap/second", {"use_cfg": True}, "fields that nobody knows"),
    "image null": ("GEN-REQ-09", "hang-up/abandoned", {"image": None}, "image: null"),
    "mask null": ("GEN-REQ-10", "hang-up/abandoned", {"mask": None}, "mask: null"),
    "another size": ("GEN-REQ-18", "strength/low", {"image": UNFIT}, "does not fit it"),
    "stride 0": (
        "GEN-REQ-21",
        "overlap/second",
        {"show_diffusion_stride": 0, "show_diffusion_process": False},
        "no previews",
    ),
}


@pytest.mark.parametrize(("id", "label", "fields", "said"), ODD.values(), ids=ODD)
def test_odd_requests_are_taken_on(id: str, label: str, fields: Mapping[str, Any], said: str) -> None:
    assert judge(id, taken(label, **fields)).verdict is Verdict.PASS
    assert judge(id, refused(f"{label}-odd", **fields), taken(label, **fields)).verdict is Verdict.PASS
    assert judge(id, taken(label)).verdict is Verdict.UNTESTED
    assert judge(id, refused(label, 503, **fields)).verdict is Verdict.UNTESTED
    for no in (
        refused(f"{label}-odd", **fields),
        refused(f"{label}-odd", 500, **fields),
        stream(f"{label}-odd", [error()], fields={**FIELDS, **fields}),
        answer(f"{label}-odd", None, end=End.RESET, to=request({**FIELDS, **fields})),
    ):
        judgement = judge(id, no, taken(label))
        assert judgement.verdict is Verdict.FAIL
        assert said in words(judgement)
        assert [finding.exchange for finding in judgement.findings] == [no.label]


def test_null_is_blamed_on_the_field_that_was_refused() -> None:
    both = refused("hang-up/null-image-mask", image=None, mask=None)
    alone = taken("hang-up/abandoned", mask=None)
    assert judge("GEN-REQ-09", both, alone).verdict is Verdict.FAIL
    assert judge("GEN-REQ-10", both, alone).verdict is Verdict.PASS


def test_a_field_that_must_be_sent_is_not_blamed_on_the_oddity() -> None:
    """All requests without a seed are refused: whether unknown fields would be, nobody knows."""
    without = {name: value for name, value in FIELDS.items() if name != "seed"}
    odd = refusal("overlap/second-unknown-fields", to=request({**without, "use_cfg": True}))
    plain = refusal("overlap/second", to=request(without))
    judgement = judge("GEN-REQ-08", odd, plain)
    assert judgement.verdict is Verdict.UNTESTED
    assert "without seed" in judgement.reason
    taken_without = stream("overlap/second", [progress(1, 4)], fields=without, end=End.HUNG_UP)
    assert judge("GEN-REQ-08", odd, taken_without).verdict is Verdict.FAIL


def test_images_are_taken_as_png_and_as_jpeg() -> None:
    png, jpeg = taken("defaults/absent", image=PNG), taken("strength/low", image=JPEG)
    assert judge("GEN-REQ-17", png, jpeg).verdict is Verdict.PASS
    judgement = judge("GEN-REQ-17", png, refused("strength/jpeg", image=JPEG))
    assert judgement.verdict is Verdict.FAIL
    assert "an image as JPEG" in words(judgement)
    assert [finding.cause for finding in judgement.findings] == ["other images are taken on"]
    others = taken("overlap/second"), refused("defaults/absent", image=PNG), refused("strength/jpeg", image=JPEG)
    neither = judge("GEN-REQ-17", *others)
    assert {finding.cause for finding in neither.findings} == {
        "a server without image-to-image is judged with --no-img2img"
    }
    assert judge("GEN-REQ-17", png).verdict is Verdict.UNTESTED


def test_where_we_hung_up_nobody_else_is_said_to_have() -> None:
    accepted = stream("refuse/prompt-missing", [progress(1, 4)], fields={"steps": 4}, end=End.HUNG_UP)
    (finding,) = judge("GEN-REQ-01", accepted).findings
    assert finding.got == "a stream, with status 200 (we stopped reading after its first event)"
    silent = replace(accepted, status=None, reads=())
    (finding,) = judge("GEN-REQ-01", silent).findings
    assert finding.got == "no answer before we hung up"


def test_an_image_of_the_size_of_the_picture_says_nothing_of_others() -> None:
    assert judge("GEN-REQ-18", taken("strength/low", image=PNG)).verdict is Verdict.UNTESTED


@pytest.mark.parametrize("id", ["GEN-REQ-16", "GEN-REQ-17", "GEN-REQ-18"])
def test_without_image_to_image_nothing_is_asked_of_images(id: str) -> None:
    assert judge(id, settings=WITHOUT_IMAGES).verdict is Verdict.NOT_APPLICABLE


def test_both_schedulers_are_taken() -> None:
    dpm, euler = taken("defaults/explicit", scheduler="dpm"), taken("hang-up/next", scheduler="euler_a")
    assert judge("GEN-REQ-20", dpm, euler).verdict is Verdict.PASS
    judgement = judge("GEN-REQ-20", dpm, refused("hang-up/next", scheduler="euler_a"))
    assert judgement.verdict is Verdict.FAIL
    assert "scheduler: euler_a" in words(judgement)


NULLS = {**FIELDS, "cfg": None, "image": None}


def test_nulls_are_as_good_as_nothing() -> None:
    same = replace(generation("nulls", fields=FIELDS), request=request(NULLS))
    assert judge("GEN-REQ-11", same).verdict is Verdict.PASS
    other = replace(generation("nulls", picture(seed=5), fields=FIELDS), request=request(NULLS))
    judgement = judge("GEN-REQ-11", other)
    assert judgement.verdict is Verdict.WARN
    assert "another picture" in words(judgement)
    as_good = generation("nulls/left-out", picture(seed=5), fields=FIELDS)
    assert judge("GEN-REQ-11", other, as_good).verdict is Verdict.PASS
    judgement = judge("GEN-REQ-11", refusal("nulls", to=request(NULLS)))
    assert judgement.verdict is Verdict.WARN
    assert "null for cfg and image" in words(judgement)
    unreadable = stream("nulls", [progress(1, 1), {"type": "complete", "image": "?"}], fields=NULLS)
    assert judge("GEN-REQ-11", unreadable).verdict is Verdict.BLOCKED
    unfinished = stream("nulls", [progress(1, 4)], fields=NULLS, end=End.HUNG_UP)
    assert judge("GEN-REQ-11", unfinished).verdict is Verdict.UNTESTED


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_seeds_at_the_edges_are_echoed(seed: int) -> None:
    fields = {**FIELDS, "seed": seed, "steps": 1}
    assert judge("GEN-REQ-22", generation("edges/seed", picture(16, 8), fields=fields)).verdict is Verdict.PASS
    signed = generation("edges/seed", picture(16, 8), fields=fields, more={"seed": -1})
    judgement = judge("GEN-REQ-22", signed)
    assert judgement.verdict is Verdict.WARN
    assert "seed: -1" in words(judgement)
    assert judge("GEN-REQ-22", refusal("edges/seed", to=request(fields))).verdict is Verdict.WARN
