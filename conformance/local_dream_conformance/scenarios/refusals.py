"""Requests that /generate must refuse: missing, malformed, of the wrong type, out of range."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.target import Target, first_event
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.requests import Body, generate, generate_raw
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.series import SILENT_ENOUGH, one_by_one, silent

STRINGS = ("negative_prompt", "scheduler")
INTEGERS = ("steps", "seed", "width", "height", "show_diffusion_stride")
NUMBERS = ("cfg", "denoise_strength")
BOOLEANS = ("show_diffusion_process", "use_opencl")
SIZES = ("width", "height")
PROVEN_TO_END = 2
CORE_STOPS_AFTER = 3
NOT_A_PICTURE = "aGVsbG8gd29ybGQh"  # "hello world!"


def wrong_types(settings: Settings) -> Iterator[tuple[str, Any, str]]:
    """(field, value, kind): every documented field but image and mask, with values of the wrong JSON type."""
    plain = requests.plain(settings)
    containers: Body = {"array": [], "object": {}}
    kinds: dict[str, Body] = {"prompt": {"number": 5, "boolean": True, "null": None, **containers}}
    kinds |= {key: {"number": 5, "boolean": True, **containers} for key in STRINGS}
    kinds |= {key: {"string": "0.5", "boolean": True, **containers} for key in NUMBERS}
    kinds |= {key: {"string": "true", "number": 1, **containers} for key in BOOLEANS}
    for field in INTEGERS:
        number = plain.get(field, 1)
        kinds[field] = {"string": str(number), "fraction": number + 0.5, **containers}
        if field not in SIZES:  # servers that take true for 1 have no check against a picture of one pixel
            kinds[field]["boolean"] = True
    for field, values in kinds.items():
        for kind, value in values.items():
            yield field, value, kind


def _refusals(settings: Settings) -> Iterator[tuple[str, Request]]:
    plain = requests.plain(settings)
    text = json.dumps(plain)
    yield "refuse/prompt-missing", requests.refused(settings)
    yield "refuse/prompt-empty", generate({**plain, "prompt": ""})
    yield "refuse/body-empty", generate_raw(b"")
    yield "refuse/body-not-utf8", generate_raw(b'{"prompt": "\xff\xfe", ' + text[1:].partition(", ")[2].encode())
    yield "refuse/json-malformed", generate_raw(text[: len(text) // 2].encode())
    yield "refuse/json-trailing", generate_raw(f"{text} x".encode())
    yield "refuse/json-nan", generate_raw((text[:-1] + ', "cfg": NaN}').encode())
    yield "refuse/json-array", generate_raw(b"[]")
    yield "refuse/json-string", generate_raw(b'"prompt"')
    yield "refuse/json-number", generate_raw(b"5")
    yield "refuse/json-null", generate_raw(b"null")
    for field, value, kind in wrong_types(settings):
        yield f"refuse/type/{field}-{kind}", generate({**plain, field: value})


def _image_refusals(settings: Settings) -> Iterator[tuple[str, Request]]:
    plain = requests.plain(settings)
    with_image = {**plain, "image": requests.card64(*requests.size(settings))}
    bad = {"not-base64": "@@@@", "not-an-image": NOT_A_PICTURE}
    wrong: Body = {"number": 5, "boolean": True, "array": [], "object": {}}
    for kind, text in bad.items():
        yield f"refuse-image/image-{kind}", generate({**plain, "image": text})
        yield f"refuse-image/mask-{kind}", generate({**with_image, "mask": text})
    for kind, value in wrong.items():
        yield f"refuse-image/type/image-{kind}", generate({**plain, "image": value})
        yield f"refuse-image/type/mask-{kind}", generate({**with_image, "mask": value})


def _out_of_range(settings: Settings) -> Iterator[tuple[str, Request]]:
    plain = requests.plain(settings)
    width, height = requests.size(settings)
    cases: dict[str, Body] = {
        "steps-zero": {"steps": 0},
        "steps-negative": {"steps": -1},
        "width-zero": {"width": 0},
        "width-negative": {"width": -8},
        "width-odd": {"width": width + 1},
        "height-zero": {"height": 0},
        "height-negative": {"height": -8},
        "height-odd": {"height": height + 1},
        "seed-minus-one": {"seed": -1},
        "seed-minus-two": {"seed": -2},
        "seed-too-large": {"seed": 2**32},
        "stride-zero": {"show_diffusion_process": True, "show_diffusion_stride": 0},
        "stride-negative": {"show_diffusion_process": True, "show_diffusion_stride": -1},
        "scheduler-unknown": {"scheduler": "no_such_scheduler"},
    }
    image: Body = {"image": requests.card64(width, height)} if settings.img2img else {}
    cases["denoise_strength-below"] = {**image, "denoise_strength": -0.1}
    cases["denoise_strength-above"] = {**image, "denoise_strength": 1.1}
    if settings.img2img:
        cases["mask-without-image"] = {"mask": requests.mask64(width, height)}
    if settings.destructive:
        cases["steps-huge"] = {"steps": 2**31 - 1}
        cases["width-huge"] = {"width": 2**31 - 8}
    for name, changed in cases.items():
        yield f"range/{name}", generate({**plain, **changed})


def _refuse(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them all; one that accepts some is hung up on at once."""
    yield from one_by_one(target, _refusals(target.settings))
    yield target.send("refuse/health", requests.HEALTH)


def _refuse_image(target: Target) -> Iterator[Exchange]:
    """Costs nothing, as `refuse`."""
    yield from one_by_one(target, _image_refusals(target.settings))
    yield target.send("refuse-image/health", requests.HEALTH)


def _range(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them all.

    Of those that a server accepts, the first two run to their end, which proves that such runs end; on the others the
    client hangs up at once. In the core profile, where refusing is not asked for, it stops after the third.
    """
    accepted = unanswered = 0
    for label, request in _out_of_range(target.settings):
        huge = label.endswith("-huge")
        stop_when = None if accepted < PROVEN_TO_END and not huge else first_event()
        exchange = target.send(label, request, stop_when=stop_when)
        yield exchange
        accepted += spent_on(exchange).generations
        unanswered += silent(exchange)
        if unanswered == SILENT_ENOUGH or (target.settings.profile == "core" and accepted == CORE_STOPS_AFTER):
            break
    yield target.send("range/health", requests.HEALTH)


def _no_img2img(settings: Settings) -> str | None:
    return None if settings.img2img else "--no-img2img: the target takes no images"


SCENARIOS = (
    Scenario("refuse", Cost(), _refuse),
    Scenario("refuse-image", Cost(), _refuse_image, available=_no_img2img),
    Scenario("range", Cost(), _range),
)
