from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import ExifTags, Image

from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.run import suite
from local_dream_conformance.scenarios.test_images import card
from tests.conformance import transcripts
from tests.conformance.transcripts import Pixels, answer, coded, refusal, upscale, upscale_request, upscaled, words

suite.load()
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
IDS = [f"UPS-ANS-{number:02}" for number in range(1, 8)]
CARD = card(17, 13)


def judge(id: str, *exchanges: Exchange) -> Judgement:
    return transcripts.judge(id, ALIVE, *exchanges)


def jpeg(pixels: Pixels, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", quality=95)
    return file.getvalue()


def of_size(width: int, height: int) -> Exchange:
    """The card at a size that its headers tell truly."""
    said = {"X-Output-Width": str(width), "X-Output-Height": str(height)}
    return upscale(pixels=CARD, body=jpeg(large(CARD, width, height)), headers=said)


def large(pixels: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("size", [(17, 13), (13, 40), (48, 48), (208, 24), (8, 8), (1, 1)])
@pytest.mark.parametrize("id", IDS)
def test_an_honest_answer_passes(id: str, size: tuple[int, int]) -> None:
    honest = upscale("upscale/odd", card(*size), started=0.0, took=0.5)
    judgement = judge(id, honest, upscale("upscale/square", card(48, 48)))
    assert judgement.verdict is Verdict.PASS


def test_a_jpeg_of_low_quality_passes() -> None:
    file = io.BytesIO()
    Image.fromarray(large(CARD, 68, 52)).save(file, "JPEG", quality=40)
    exchange = upscale("upscale/odd", CARD, body=file.getvalue())
    assert {judge(id, exchange).verdict for id in IDS} == {Verdict.PASS}


BAD: dict[str, tuple[str, Exchange, str]] = {
    "refused": ("UPS-ANS-01", refusal("upscale/odd", to=upscale_request(CARD)), "--upscaler-path"),
    "no answer": (
        "UPS-ANS-01",
        answer("upscale/odd", None, end=End.IDLE_TIMEOUT, to=upscale_request(CARD)),
        "idle-timeout",
    ),
    "said to be octets": (
        "UPS-ANS-01",
        upscale(pixels=CARD, headers={"Content-Type": "application/octet-stream"}),
        "application/octet-stream",
    ),
    "said to be gzip": ("UPS-ANS-01", upscale(pixels=CARD, headers={"Content-Encoding": "gzip"}), "identity"),
    "less than announced": (
        "UPS-ANS-02",
        replace(upscale(pixels=CARD), end=End.TRUNCATED, detail="closed before the end that was announced"),
        "closed the connection in the middle",
    ),
    "PNG": ("UPS-ANS-02", upscale(pixels=CARD, body=upscaled(CARD, format="png")), "does not begin as a JPEG"),
    "empty": ("UPS-ANS-02", upscale(pixels=CARD, body=b""), "no bytes"),
    "cut": ("UPS-ANS-02", upscale(pixels=CARD, body=upscaled(CARD)[:-300]), "cannot be decoded"),
    "grey": ("UPS-ANS-02", upscale(pixels=CARD, body=jpeg(large(CARD, 68, 52), "L")), "mode L"),
    "something after": ("UPS-ANS-02", upscale(pixels=CARD, body=upscaled(CARD) + b"{}"), "after the end"),
    "twice as large": ("UPS-ANS-03", of_size(34, 26), "the factor is 2"),
    "swapped": ("UPS-ANS-03", of_size(52, 68), "swapped"),
    "padded": ("UPS-ANS-03", of_size(72, 56), "padded"),
    "cropped": ("UPS-ANS-03", of_size(64, 48), "cropped"),
    "header of another width": ("UPS-ANS-04", upscale(pixels=CARD, headers={"X-Output-Width": "17"}), "68"),
    "header of another height": ("UPS-ANS-04", upscale(pixels=CARD, headers={"X-Output-Height": "x"}), "52"),
    "duration in words": ("UPS-ANS-05", upscale(pixels=CARD, headers={"X-Duration-Ms": "5.2"}), "5.2"),
    "negative duration": ("UPS-ANS-05", upscale(pixels=CARD, headers={"X-Duration-Ms": "-1"}), "-1"),
    "longer than the wait": ("UPS-ANS-06", upscale(pixels=CARD, headers={"X-Duration-Ms": "900"}), "10 ms"),
    "blank": ("UPS-ANS-07", upscale(pixels=CARD, body=jpeg(np.full((52, 68, 3), 255, np.uint8))), "one flat colour"),
}


@pytest.mark.parametrize(("id", "exchange", "said"), BAD.values(), ids=BAD)
def test_is_broken_and_the_later_ones_are_not_blamed(id: str, exchange: Exchange, said: str) -> None:
    judgement = judge(id, exchange)
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)
    assert [other for other in IDS if judge(other, exchange).verdict is Verdict.FAIL] == [id]


@pytest.mark.parametrize("header", ["X-Output-Width", "X-Output-Height", "X-Duration-Ms"])
def test_a_header_that_is_missing_fails(header: str) -> None:
    honest = upscale(pixels=CARD)
    without = replace(honest, headers=tuple(pair for pair in honest.headers if pair[0] != header))
    judgement = judge("UPS-ANS-05" if header == "X-Duration-Ms" else "UPS-ANS-04", without)
    assert judgement.verdict is Verdict.FAIL
    assert "no such header" in words(judgement)


CHANGES: dict[str, tuple[Callable[[Pixels], Pixels], tuple[int, int], str]] = {
    "BGR": (lambda p: p[:, :, ::-1], (17, 13), "BGR"),
    "upside down": (lambda p: p[::-1], (17, 13), "upside down"),
    "mirrored": (lambda p: p[:, ::-1], (13, 40), "mirrored"),
    "turned": (lambda p: p[::-1, ::-1], (17, 13), "180"),
    "transposed": (lambda p: p.transpose(1, 0, 2), (48, 48), "transposed"),
    "rows of another length": (
        lambda p: p.reshape(p.shape[1], p.shape[0], 3).transpose(1, 0, 2),
        (17, 13),
        "width and height were swapped",
    ),
    "planes": (lambda p: p.reshape(3, *p.shape[:2]).transpose(1, 2, 0), (17, 13), "plane"),
    "shifted": (lambda p: np.roll(p, 4, axis=1), (48, 48), "shifted"),
    "cropped": (lambda p: large(p[3:-3, 3:-3], p.shape[1], p.shape[0]), (17, 13), "cropped"),
}


@pytest.mark.parametrize(("change", "size", "said"), CHANGES.values(), ids=CHANGES)
def test_another_picture_fails_with_its_likely_cause(
    change: Callable[[Pixels], Pixels], size: tuple[int, int], said: str
) -> None:
    sent = card(*size)
    exchange = upscale("upscale/odd", sent, body=upscaled(np.ascontiguousarray(change(sent))))
    judgement = judge("UPS-ANS-07", exchange)
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.findings[0].cause


def test_a_picture_that_is_to_be_turned_is_another_one() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    file = io.BytesIO()
    with Image.open(io.BytesIO(upscaled(CARD))) as picture:
        picture.save(file, "JPEG", quality=95, exif=exif)
    judgement = judge("UPS-ANS-07", upscale(pixels=CARD, body=file.getvalue()))
    assert judgement.verdict is Verdict.FAIL
    assert "orientation 6" in words(judgement)


def test_a_single_pixel_is_not_compared() -> None:
    white = jpeg(np.full((4, 4, 3), 255, np.uint8))
    exchanges = [upscale("upscale/odd", CARD), upscale("upscale/one-pixel", card(1, 1), body=white)]
    assert judge("UPS-ANS-07", *exchanges).verdict is Verdict.PASS


def test_one_refusal_among_answers_is_found() -> None:
    exchanges = [upscale("upscale/odd", CARD), refusal("upscale/wide", 500, to=upscale_request(card(208, 24)))]
    judgement = judge("UPS-ANS-01", *exchanges)
    assert [finding.exchange for finding in judgement.findings] == ["upscale/wide"]


def test_a_server_without_upscale_is_not_judged() -> None:
    absent = refusal("upscale/odd", 404, to=upscale_request(CARD))
    assert judge("UPS-ANS-01", absent).verdict is Verdict.NOT_APPLICABLE
    wrong = refusal("upscale-refuse/body-short", 404, to=upscale_request(CARD))
    assert judge("UPS-ANS-01", absent, wrong).verdict is Verdict.NOT_APPLICABLE


def test_a_server_that_refuses_wrong_upscales_otherwise_has_the_path() -> None:
    unknown = refusal("upscale/odd", 404, to=upscale_request(CARD))
    wrong = refusal("upscale-refuse/width-missing", 400, to=upscale_request(CARD))
    judgement = judge("UPS-ANS-01", unknown, wrong)
    assert judgement.verdict is Verdict.FAIL
    assert "--upscaler-path" in words(judgement)


def enlarged(change: Callable[[Pixels], Pixels], width: int = 48, height: int = 48) -> Exchange:
    large = card(width, height).repeat(4, 0).repeat(4, 1)
    changed = coded(np.ascontiguousarray(change(large)), "jpeg", quality=95)
    return upscale("upscale/square", card(width, height), body=base64.b64decode(changed))


LITTLE_OFF: dict[str, tuple[Callable[[Pixels], Pixels], str]] = {
    "as it is": (lambda large: large, ""),
    "half a pixel to the right": (lambda large: np.roll(large, 2, axis=1), "to the right"),
    "half a pixel up": (lambda large: np.roll(large, -2, axis=0), "down"),
    "a seam between tiles": (lambda large: np.where(np.arange(large.shape[1])[None, :, None] == 40, 0, large), "seam"),
    "a tenth brighter": (lambda large: np.clip(large * 1.1, 0, 255).astype(np.uint8), "red +"),
    "reddish": (lambda large: np.clip(large + np.array([12, 0, 0]), 0, 255).astype(np.uint8), "red +"),
}


@pytest.mark.parametrize(("change", "said"), LITTLE_OFF.values(), ids=LITTLE_OFF)
@pytest.mark.parametrize("size", [(48, 48), (208, 24), (17, 40)])
def test_an_enlargement_that_is_a_little_off(
    change: Callable[[Pixels], Pixels], said: str, size: tuple[int, int]
) -> None:
    judgement = transcripts.judge("UPS-ANS-08", ALIVE, enlarged(change, *size))
    assert judgement.verdict is (Verdict.WARN if said else Verdict.PASS), words(judgement)
    assert said in words(judgement)


def test_small_enlargements_do_not_show_a_shift() -> None:
    assert transcripts.judge("UPS-ANS-08", ALIVE, enlarged(lambda large: large, 8, 8)).verdict is Verdict.UNTESTED
