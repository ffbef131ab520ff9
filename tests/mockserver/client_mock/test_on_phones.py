"""What works here and goes wrong on a phone: the journal names the releases."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.datastructures import Headers

from local_dream_mockserver.mock.on_phones import ALL, FIRST, LARGEST, SINCE_2_7, nearest
from local_dream_mockserver.mock.request_side import breaches_of
from local_dream_mockserver.mock.violation import Violation

JSON = {"content-type": "application/json"}


def coded(image: Image.Image, kind: str = "PNG", **options: Any) -> str:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return base64.b64encode(file.getvalue()).decode()


def flat(value: int = 255, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (8, 8), value if mode == "L" else (value,) * len(mode))


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def breaches(fields: dict[str, Any], headers: dict[str, str] | None = None) -> list[Violation]:
    body = json.dumps({"prompt": "x"} | fields).encode()
    return list(breaches_of("POST", "/generate", Headers(headers or JSON), body))


def concerning(fields: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    return [(breach.field, breach.releases) for breach in breaches(fields)]


WHITE = coded(flat())
HALF = Image.fromarray(np.dstack([np.full((8, 8, 3), 255, np.uint8), np.tile(np.array([0, 255], np.uint8), (8, 4))]))
PALETTE = Image.fromarray(np.tile(np.array([0, 1], np.uint8), (8, 4)))


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"image": coded(flat(), "JPEG", exif=turned())}, "image", "turn the pixels"),
        ({"image": coded(flat(), exif=turned())}, "image", "turn the pixels"),
        ({"image": coded(HALF)}, "image", "phones drop that"),
        ({"image": coded(HALF.convert("P"), transparency=0)}, "image", "phones drop that"),
        ({"image": coded(flat(), "WEBP")}, "image", "answer with 400"),
        ({"image": WHITE, "mask": coded(HALF)}, "mask", "phones drop that"),
        ({"image": WHITE, "mask": coded(flat(), "JPEG")}, "mask", "send PNG"),
        ({"image": WHITE, "mask": coded(PALETTE)}, "mask", "white is 255"),
        ({"image": f"data:image/png;base64,{WHITE}"}, "image", "data: URL"),
        ({"width": LARGEST + 8}, "width", "memory for?"),
        ({"seed": -1}, "seed", "4294967295"),
        ({"seed": None}, "seed", "leave it out"),
        ({"image": None}, "image", "leave it out"),
        ({"step": 20}, "step", "steps is meant?"),
        ({"image": coded(flat(), save_all=True, append_images=[flat(0)])}, "image", "first picture alone"),
        (
            {"image": WHITE, "mask": coded(Image.new("L", (8, 16), 255))},
            "mask",
            "of another shape than",
        ),
        ({"size": 64, "width": 128}, "size", "phones take size"),
        ({"cfg": -3}, "cfg", "-3 paints away from the prompt"),
        ({"cfg": 1e30}, "cfg", "1e+30 is beyond"),
    ],
)
def test_what_goes_wrong_on_every_phone(fields: dict[str, Any], field: str, words: str) -> None:
    [breach] = breaches(fields)
    assert (breach.field, breach.releases) == (field, ALL)
    assert words in breach.message
    assert str(breach).endswith("(Local Dream 2.4.3, 2.7, 2.8.1)")
    assert breach.as_json()["releases"] == list(ALL)


def test_what_concerns_some_releases() -> None:
    assert concerning({"scheduler": "euler"}) == [("scheduler", FIRST)]
    assert concerning({"output_format": None}) == [("output_format", SINCE_2_7)]


@pytest.mark.parametrize(
    "fields",
    [
        {"image": WHITE, "mask": coded(flat(0))},
        {"image": WHITE, "mask": coded(flat(128, "L"))},
        {"image": coded(Image.new("RGBA", (8, 8), (1, 2, 3, 255)))},
        {"image": coded(flat(), "JPEG")},
        {"width": LARGEST, "scheduler": "lcm", "seed": 2**32 - 1},
        {"size": 64, "width": 64},
        {"size": 64},
        {"cfg": 0},
        {"cfg": 30.5},
        {"image": WHITE, "mask": coded(Image.new("L", (64, 65), 255))},
        {"image": coded(Image.fromarray(np.full((8, 8), 40_000, np.uint16)))},
        {"image": coded(flat(), "JPEG", progressive=True)},
        {"prompt": '(a:1.5) house,\n\t"tall" \\ {x} \u4e2d'},
    ],
)
def test_what_phones_take_is_not_told(fields: dict[str, Any]) -> None:
    assert breaches(fields) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(
            ("step", "steps"),
            ("num_steps", "steps"),
            ("numInferenceSteps", "steps"),
            ("negativePrompt", "negative_prompt"),
        ),
        *(("cfg_scale", "cfg"), ("sampler_name", "scheduler"), ("denoising_strength", "denoise_strength")),
        *(("init_images", "image"), ("Prompt", "prompt"), ("tilesize", "tile_size"), ("x-unknown", ""), ("hello", "")),
    ],
)
def test_the_nearest_name_of_a_field(name: str, meant: str) -> None:
    assert nearest(name) == meant
    [breach] = breaches({name: 1}) if name != "Prompt" else breaches({"Prompt": "y"})
    assert breach.requirement == "GEN-REQ-08"
    assert (f"; {meant} is meant?" in breach.message) is bool(meant)


def test_fields_that_only_newer_releases_have() -> None:
    found = breaches({"ultrafix": True, "tile_size": 512, "reference_images": [WHITE]})
    assert [(breach.field, breach.releases) for breach in found] == [
        ("ultrafix", ("2.4.3",)),
        ("tile_size", ("2.4.3",)),
        ("reference_images", ALL),
    ]
    assert {breach.requirement for breach in found} == {None}
    assert breaches({"ultrafix": False}) == []


@pytest.mark.parametrize("value", [[], "x", [5], ["@@@@"], ["bm8gcGljdHVyZQ=="]])
def test_what_are_no_reference_images(value: object) -> None:
    assert "EXT-REF-04" in {breach.requirement for breach in breaches({"reference_images": value})}


@pytest.mark.parametrize(
    ("fields", "requirement", "words"),
    [
        ({"image": coded(flat().convert("CMYK"), "JPEG")}, "GEN-REQ-27", "CMYK"),
        ({"prompt": "a\0b"}, "GEN-REQ-26", "U+0000"),
        ({"negative_prompt": "a\x1bb"}, "GEN-REQ-26", "U+001B"),
        ({"prompt": "x" * 2001}, "GEN-REQ-26", "2001 characters"),
    ],
)
def test_what_the_contract_does_not_promise(fields: dict[str, Any], requirement: str, words: str) -> None:
    [breach] = breaches(fields)
    assert (breach.requirement, breach.releases) == (requirement, ())
    assert words in breach.message


def test_forms_beyond_8_kib() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    short, long = breaches({}, headers), breaches({"negative_prompt": "x" * 8192}, headers)
    assert [breach.releases for breach in short] == [()]
    assert [breach.releases for breach in long] == [(), ALL, ()]
    assert "413" in long[1].message
