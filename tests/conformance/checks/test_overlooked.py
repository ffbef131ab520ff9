"""Checks of what a glance does not show: seeds and prompts used in part, strengths, masks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run import suite
from local_dream_conformance.scenarios.test_images import card, exposed, mask
from tests.conformance import transcripts
from tests.conformance.in_memory_server import PICKED, PLAIN, InMemoryServer, asked, run
from tests.conformance.transcripts import Pixels, answer, coded, complete, picture, progress, stream, words

suite.load()
BASE = [progress(4, 4), complete(picture(128, 64, 3))]
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
WRONG = (Verdict.FAIL, Verdict.WARN)
DEPENDENCE = [f"GEN-PIC-{number:02}" for number in (*range(7, 14), *range(15, 18))]


@dataclass
class Misreading(InMemoryServer):
    """Takes one field for something else before it paints."""

    field: str = "seed"
    misread: Callable[[Any], Any] = lambda value: value

    def _paint(self, meant: Mapping[str, Any]) -> Pixels:
        return super()._paint({**meant, self.field: self.misread(meant.get(self.field))})


def broken(exchanges: Mapping[str, Exchange], ids: list[str]) -> dict[str, str]:
    judgements = {id: transcripts.judge(id, ALIVE, *exchanges.values()) for id in ids}
    return {id: words(found) for id, found in judgements.items() if found.verdict in WRONG}


def test_an_honest_run_breaks_nothing() -> None:
    assert broken(run(), DEPENDENCE) == {}


MISREADINGS: dict[str, tuple[str, Callable[[Any], Any], set[str], str]] = {
    "31 bits of the seed": ("seed", lambda seed: seed & 0x7FFFFFFF, {"GEN-PIC-09"}, "no more than 31 bits"),
    "16 bits of the seed": ("seed", lambda seed: seed & 0xFFFF, {"GEN-PIC-09"}, "no more than 31 bits"),
    "no lowest bit of the seed": ("seed", lambda seed: seed >> 1, {"GEN-PIC-09"}, "lowest bit"),
    "strength 0 as none": (
        "denoise_strength",
        lambda strength: strength or 0.6,
        {"GEN-PIC-11", "GEN-PIC-15"},
        "",
    ),
    "strengths rounded": ("denoise_strength", round, {"GEN-PIC-11", "GEN-PIC-16"}, "rounded to 0"),
    "no negative prompt": ("negative_prompt", lambda text: "", {"GEN-PIC-17"}, "negative_prompt is ignored"),
}


@pytest.mark.parametrize(("field", "misread", "ids", "said"), MISREADINGS.values(), ids=MISREADINGS)
def test_a_field_that_is_read_in_part(field: str, misread: Callable[[Any], Any], ids: set[str], said: str) -> None:
    found = broken(run(Misreading(field=field, misread=misread)), DEPENDENCE)
    assert found.keys() == ids, found
    assert said in " ".join(found.values())


def test_strength_zero_in_few_steps_is_not_judged() -> None:
    exchanges = run()
    low = {**asked()["strength/low"], "steps": 4}
    exchanges["strength/low"] = Misreading(field="denoise_strength", misread=lambda s: s or 0.25).answer(
        "strength/low", low
    )
    judgement = transcripts.judge("GEN-PIC-15", ALIVE, *exchanges.values())
    assert judgement.verdict is Verdict.UNTESTED
    assert "10 steps" in judgement.reason


def given_back(change: Callable[[Pixels], Any], width: int = 128, height: int = 64) -> Exchange:
    """A picture of strength 0: the image in its request, changed."""
    image = exposed(card(width, height))
    size = {"width": width, "height": height}
    fields = {**PLAIN, **size, "image": coded(image, "png"), "denoise_strength": 0, "steps": 20}
    shown = np.clip(change(image), 0, 255).astype(np.uint8)
    return stream("strength/low", [progress(20, 20), complete(shown)], fields=fields)


def test_black_and_white_of_an_image_are_given_back() -> None:
    base = run()["base"]
    for honest in (lambda image: image, lambda image: image * 0.9 + 8, lambda image: image * 1.0 + 11):
        assert transcripts.judge("GEN-PIC-15", ALIVE, base, given_back(honest)).verdict is Verdict.PASS
    judgement = transcripts.judge("GEN-PIC-15", ALIVE, base, given_back(lambda image: image * (219 / 255) + 16))
    assert judgement.verdict is Verdict.FAIL
    assert "television" in words(judgement)


OTHERWISE: dict[str, tuple[Callable[[Pixels], Any], str]] = {
    "upside down": (lambda image: image[::-1], "upside down"),
    "another picture": (
        lambda image: np.random.default_rng(1).integers(0, 256, image.shape),
        "0 is taken for no strength",
    ),
    "half lower": (lambda image: moved(image, 1, 16, 0), "put together wrongly"),
}


@pytest.mark.parametrize(("change", "said"), OTHERWISE.values(), ids=OTHERWISE)
def test_a_picture_that_is_not_given_back_has_one_cause(change: Callable[[Pixels], Any], said: str) -> None:
    judgement = transcripts.judge("GEN-PIC-15", ALIVE, run()["base"], given_back(change, 256, 256))
    (finding,) = judgement.findings
    assert said in finding.cause


def moved(image: Pixels, axis: int, by: int, across: int) -> Pixels:
    """The picture with its right (axis 1) or lower half moved along the other axis, or along its own."""
    near, far = np.split(image, 2, axis=axis)
    return np.concatenate(
        [
            near,
            np.asarray(
                Image.fromarray(far).transform(
                    (far.shape[1], far.shape[0]),
                    Image.Transform.AFFINE,
                    (1, 0, -across, 0, 1, -by),
                    fillcolor=(99, 99, 99),
                )
            ),
        ],
        axis=axis,
    )


def painted_over(image: Pixels) -> Any:
    """The picture as a model gives it back: softer, with spots of its own."""
    height, width = image.shape[:2]
    spots = np.random.default_rng(1).integers(-15, 16, (height // 8, width // 8, 3))
    return image * 0.9 + 10 + np.repeat(np.repeat(spots, 8, axis=0), 8, axis=1)


ELSEWHERE = {
    "right": (1, 16, 0, "the right half stands about .* lower"),
    "lower": (0, 0, -14, "the lower half .* left"),
}


@pytest.mark.parametrize(("axis", "by", "across", "said"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_half_that_stands_elsewhere(axis: int, by: int, across: int, said: str) -> None:
    base = run()["base"]
    elsewhere = given_back(lambda image: moved(image, axis, by, across), 256, 256)
    judgement = transcripts.judge("GEN-PIC-15", ALIVE, base, elsewhere)
    assert judgement.verdict is Verdict.FAIL
    assert re.search(said, words(judgement))
    honest = (painted_over, lambda image: moved(image, axis, by // 4, across // 4), lambda image: np.roll(image, 2, 1))
    for change in honest:
        found = transcripts.judge("GEN-PIC-15", ALIVE, base, given_back(change, 256, 256))
        assert found.verdict is Verdict.PASS, words(found)


def test_pictures_that_are_not_bit_exact_are_told_apart_with_less() -> None:
    assert broken(run(Misreading(whim=2)), ["GEN-PIC-09", "GEN-PIC-10", "GEN-PIC-17"]) == {}
    shaken = Misreading(whim=2, field="negative_prompt", misread=lambda text: "")
    assert broken(run(shaken), ["GEN-PIC-09", "GEN-PIC-10", "GEN-PIC-17"]).keys() == {"GEN-PIC-17"}


# Masks


def masked(followed: Pixels, strength: float = 1.0) -> Exchange:
    """An inpainting of the card in which `followed` (0..255) was what the server took for the mask."""
    width, height = 128, 64
    image, drawn = card(width, height), picture(width, height, 3)
    cover = followed[..., np.newaxis].astype(np.float64) / 255 * strength
    pixels = np.rint(image * (1 - cover) + drawn * cover).astype(np.uint8)
    white = np.repeat(mask(width, height)[..., np.newaxis] * np.uint8(255), 3, axis=2)
    fields = {**PLAIN, "image": coded(image, "png"), "mask": coded(white, "png"), "denoise_strength": strength}
    return stream("hang-up/next", [progress(4, 4), complete(pixels)], fields=fields)


MASK: Pixels = mask(128, 64) * np.uint8(255)
BOX = MASK.copy()
BOX[:, 48:] = 255
FOLLOWED: dict[str, tuple[Pixels, str]] = {
    "upside down": (MASK[::-1], ""),
    "mirrored": (MASK[:, ::-1], ""),
    "turned": (MASK[::-1, ::-1], ""),
    "a box around it": (BOX, "box"),
    "let through by a quarter": ((64 + MASK * 0.75).astype(np.uint8), ""),
    "shifted by 40 pixels": (np.roll(MASK, -40, axis=1), ""),
}


@pytest.mark.parametrize(("followed", "said"), FOLLOWED.values(), ids=FOLLOWED)
def test_a_mask_that_is_taken_for_another(followed: Pixels, said: str) -> None:
    judgement = transcripts.judge("GEN-PIC-12", ALIVE, stream("base", BASE, fields=PLAIN), masked(followed))
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)


def test_a_mask_that_is_followed_or_blended_at_its_seam() -> None:
    soft = MASK.astype(np.float64)
    for _ in range(12):
        soft = (soft + np.roll(soft, 1, 1) + np.roll(soft, -1, 1) + np.roll(soft, 1, 0) + np.roll(soft, -1, 0)) / 5
    soft[:, :20] = soft[:, 100:] = 0
    for followed in (MASK, np.where(MASK, 255, soft).astype(np.uint8)):
        judgement = transcripts.judge("GEN-PIC-12", ALIVE, stream("base", BASE, fields=PLAIN), masked(followed))
        assert judgement.verdict is Verdict.PASS, words(judgement)


def test_a_weak_strength_says_nothing_of_what_is_repainted() -> None:
    weak = masked(MASK, 0.35)
    judgement = transcripts.judge("GEN-PIC-13", ALIVE, stream("base", BASE, fields=PLAIN), weak)
    assert judgement.verdict is Verdict.UNTESTED


# The seed that a server picked


def defaults(server: InMemoryServer, *bisected: tuple[str, ...]) -> dict[str, Exchange]:
    exchanges = run(server)
    bare, whole = {**asked()["defaults/absent"], "seed": PICKED}, asked()["defaults/explicit"]
    for number, names in enumerate(bisected, 1):
        label = f"defaults/bisect-{number}"
        exchanges[label] = server.answer(label, bare | {name: whole[name] for name in names})
    return exchanges


class PicksTwice(InMemoryServer):
    """Reports another seed than the one that it picked and used."""

    def answer(self, label: str, fields: Mapping[str, Any]) -> Exchange:
        if fields.get("seed") is None:
            used = super().answer(label, {**fields, "prompt": fields["prompt"] + "."})
            return stream_with_request(used, fields)
        return super().answer(label, fields)


def stream_with_request(exchange: Exchange, fields: Mapping[str, Any]) -> Exchange:
    return replace(exchange, request=transcripts.request(fields))


SEED_ALONE: tuple[str, ...] = ()
DEFAULTS = [f"GEN-DEF-{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 10, 13)]


def test_a_picked_seed_gives_its_picture_again() -> None:
    assert broken(defaults(InMemoryServer()), DEFAULTS) == {}


def test_a_picked_seed_that_is_not_the_one_used() -> None:
    found = broken(defaults(PicksTwice(), ("steps", "cfg"), ("steps",), SEED_ALONE), DEFAULTS)
    assert found.keys() == {"GEN-DEF-13"}, found
    assert "not the one that was used" in found["GEN-DEF-13"]


def test_a_wrong_default_says_nothing_of_the_picked_seed() -> None:
    exchanges = defaults(InMemoryServer(defaults={"cfg": 4.0}), ("steps", "cfg"), ("steps",))
    judgement = transcripts.judge("GEN-DEF-13", ALIVE, *exchanges.values())
    assert judgement.verdict is Verdict.UNTESTED
    assert "in a default too" in judgement.reason


def test_a_reported_seed_that_cannot_be_sent() -> None:
    exchanges = defaults(InMemoryServer(seeds=[-1, *range(5, 99)]))
    assert transcripts.judge("GEN-DEF-13", ALIVE, *exchanges.values()).reason == "GEN-DEF-11 does not hold"
