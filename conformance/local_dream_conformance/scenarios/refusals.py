"""Requests that /generate must refuse: missing, malformed, of the wrong type, out of range."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.fields import Field, documented
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.requests import Body, generate, generate_raw
from local_dream_conformance.scenarios.scenario import Scenario, no_img2img
from local_dream_conformance.scenarios.series import one_by_one

TYPES = ("string", "number", "boolean", "integer")
"""The order in which wrong types are tried: by what the field should have been."""
STRIDE = "show_diffusion_stride"
RANGED_FIRST = (STRIDE, "steps", "width", "height", "seed", "scheduler", "denoise_strength")
"""The fields whose values out of range are tried first, in this order: a run in the core profile may end early."""
SIZES = ("width", "height")
CORE_STOPS_AFTER = 3
ALIKE = {
    "refuse/json-malformed": "JSON",
    "refuse/json-trailing": "JSON",
    "refuse/json-nan": "JSON",
    "refuse/json-array": "object",
    "refuse/json-array-of-one": "object",
    "refuse/json-string": "object",
    "refuse/json-number": "object",
    "refuse/json-null": "object",
    "refuse-image/image-not-base64": "base64",
    "refuse-image/image-junk-in-base64": "base64",
}
"""Refusals of which one that is accepted tells what the others would."""
JUNK = "!@#$"
"""What no alphabet of base64 has, and what lenient readers skip."""
NOT_A_PICTURE = "aGVsbG8gd29ybGQh"  # "hello world!"


def wrong_types(settings: Settings) -> Iterator[tuple[str, Any, str]]:
    """(field, value, kind): every documented field but image and mask, with values of the wrong JSON type."""
    plain = requests.plain(settings)
    for field in sorted(documented().values(), key=lambda field: TYPES.index(field.type)):
        if not field.is_picture:
            for kind, value in _wrongly_typed(field, plain.get(field.name, field.default)).items():
                yield field.name, value, kind


def _wrongly_typed(field: Field, right: Any) -> Body:
    """Values of a wrong type for a field, by what they are. `right` is one of the right type."""
    values: dict[str, Body] = {
        "string": {"number": 5, "boolean": True, "zero": 0, "false": False},
        "number": {"string": "0.5", "boolean": True, "false": False},
        "boolean": {"string": "true", "number": 1, "zero": 0},
    }
    found = values[field.type] if field.type in values else {"string": str(right), "fraction": right + 0.5}
    found |= {} if field.nullable else {"null": None}
    found |= {"array": [], "object": {}}
    # Servers that take true for 1 have no check against a picture of one pixel.
    return found | ({"boolean": True, "false": False} if field.type == "integer" and field.name not in SIZES else {})


def _ranged(field: Field, right: Any) -> Body:
    """Values of the right type that are out of a field's range, by what is wrong with them. `right` is within it.

    Of sizes those alone that no server is known to have died of; the others are in `destructive`.
    """
    if field.name == STRIDE:  # the schema has its minimum where it has previews
        return {"zero": 0, "negative": -1}
    schema, found = field.schema, Body()
    if field.type == "number":
        found |= {"below": schema["minimum"] - 0.1} if "minimum" in schema else {}
        return found | ({"above": schema["maximum"] + 0.1} if "maximum" in schema else {})
    step = schema.get("multipleOf", 1)
    if "minimum" in schema and field.name not in SIZES:
        found |= {"negative": -step, "zero": 0} if schema["minimum"] > 0 else {"minus-one": -1, "minus-two": -2}
    found |= {"too-large": schema["maximum"] + 1} if "maximum" in schema and field.name not in SIZES else {}
    found |= {"odd": right + 1} if step > 1 else {}
    # What a search in the text of all names would find.
    return found | ({"unknown": f'no "such" {field.name}\\', "part": field.default[:-1]} if "enum" in schema else {})


def _quick(settings: Settings) -> Body:
    """The plain request in a single step: what is accepted although it should be refused is to be over soon."""
    return {**requests.plain(settings), "steps": 1}


def _kind(label: str) -> str:
    """Of which kind a refusal is: wrong types of one field are all alike."""
    return label.rpartition("-")[0] if "/type/" in label else ALIKE.get(label, label)


def _refusals(settings: Settings) -> Iterator[tuple[str, Request]]:
    plain = _quick(settings)
    text = json.dumps(plain)
    yield "refuse/prompt-missing", requests.refused(settings)
    yield "refuse/prompt-empty", generate({**plain, "prompt": ""})
    yield "refuse/body-empty", generate_raw(b"")
    not_utf8 = json.dumps({**plain, "prompt": ""}).encode().replace(b'""', b'"\xff\xfe"', 1)
    yield "refuse/body-not-utf8", generate_raw(not_utf8)
    yield "refuse/json-malformed", generate_raw(text[: len(text) // 2].encode())
    yield "refuse/json-trailing", generate_raw(f"{text} x".encode())
    # Servers quote what they could not read: what is not ASCII shows whether lengths count bytes.
    yield "refuse/json-nan", generate_raw((text[:-1] + ', "cfg": NaN, "größe": 1}').encode())
    yield "refuse/json-array", generate_raw(b"[]")
    yield "refuse/json-array-of-one", generate_raw(f"[{text}]".encode())
    yield "refuse/json-string", generate_raw(b'"prompt"')
    yield "refuse/json-number", generate_raw(b"5")
    yield "refuse/json-null", generate_raw(b"null")
    for field, value, kind in wrong_types(settings):
        yield f"refuse/type/{field}-{kind}", generate({**plain, field: value})


def _image_refusals(settings: Settings) -> Iterator[tuple[str, Request]]:
    plain = _quick(settings)
    with_image = {**plain, "image": requests.card64(*requests.size(settings))}
    bad = {"not-base64": "@@@@", "not-an-image": NOT_A_PICTURE}
    whole = with_image["image"]
    wrong: Body = {"number": 5, "boolean": True, "array": [], "object": {}, "zero": 0, "false": False}
    for kind, text in bad.items():
        yield f"refuse-image/image-{kind}", generate({**plain, "image": text})
        yield f"refuse-image/mask-{kind}", generate({**with_image, "mask": text})
    junk = whole[: len(whole) // 2] + JUNK + whole[len(whole) // 2 :]
    yield "refuse-image/image-junk-in-base64", generate({**plain, "image": junk})
    for kind, value in wrong.items():
        yield f"refuse-image/type/image-{kind}", generate({**plain, "image": value})
        yield f"refuse-image/type/mask-{kind}", generate({**with_image, "mask": value})


def _out_of_range(settings: Settings) -> dict[str, Body]:
    """What each request changes in the quick one, by its label."""
    plain = requests.plain(settings)
    width, height = requests.size(settings)
    image: Body = {"image": requests.card64(width, height)} if settings.img2img else {}
    needed: dict[str, Body] = {"denoise_strength": image, STRIDE: {"show_diffusion_process": True}}
    cases: dict[str, Body] = {}
    for name in (*RANGED_FIRST, *(name for name in documented() if name not in RANGED_FIRST)):
        field, label = documented()[name], "stride" if name == STRIDE else name
        for kind, value in _ranged(field, plain.get(name, field.default)).items():
            cases[f"range/{label}-{kind}"] = {**needed.get(name, {}), name: value}
    if settings.img2img:
        cases["range/mask-without-image"] = {"mask": requests.mask64(width, height)}
    return cases


def _broken(label: str, changed: Body) -> str:
    """Which requirements a value out of range is about: of values that break the same, one is enough to accept."""
    broken = {id for name, value in changed.items() if name in documented() for id in _ids(name, value)}
    return " ".join(sorted(broken)) or label.rpartition("-")[0]


def _ids(name: str, value: Any) -> set[str]:
    field = documented()[name]
    return field.ids_broken_by(value) if field.has_type(value) else set()


def _refuse(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them all. Where one accepts a wrong type of a field, or one of several
    requests that are wrong in the same way, it gets no more of that kind."""
    yield from one_by_one(target, _refusals(target.settings), _kind)
    yield target.send("refuse/health", requests.HEALTH)


def _refuse_image(target: Target) -> Iterator[Exchange]:
    """Costs nothing, as `refuse`."""
    yield from one_by_one(target, _image_refusals(target.settings), _kind)
    yield target.send("refuse-image/health", requests.HEALTH)


def _range(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them all. Of values that one requirement speaks of, no more are sent once
    the server has accepted one; in the core profile, where refusing is not asked for, it stops after the third.

    Sizes of 0 and below are asked for with --destructive alone: see `destructive`.
    """
    cases = _out_of_range(target.settings)
    plain = _quick(target.settings)
    accepted = 0
    sent = ((label, generate({**plain, **changed})) for label, changed in cases.items())
    for exchange in one_by_one(target, sent, lambda label: _broken(label, cases[label])):
        yield exchange
        accepted += spent_on(exchange).generations
        if target.settings.profile == "core" and accepted == CORE_STOPS_AFTER:
            break
    yield target.send("range/health", requests.HEALTH)


SCENARIOS = (
    Scenario("refuse", Cost(), _refuse),
    Scenario("refuse-image", Cost(), _refuse_image, available=no_img2img),
    Scenario("range", Cost(), _range),
)
