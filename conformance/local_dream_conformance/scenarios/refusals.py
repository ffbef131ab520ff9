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
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.target import Target, first_event
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.requests import Body, generate, generate_raw
from local_dream_conformance.scenarios.scenario import Scenario, no_img2img
from local_dream_conformance.scenarios.series import SILENT_ENOUGH, one_by_one, silent

TYPES = ("string", "number", "boolean", "integer")
"""The order in which wrong types are tried: by what the field should have been."""
STRIDE = "show_diffusion_stride"
RANGED_FIRST = ("steps", "width", "height", "seed", STRIDE, "scheduler", "denoise_strength")
"""The fields whose values out of range are tried first, in this order: a run in the core profile may end early."""
SIZES = ("width", "height")
PROVEN_TO_END = 2
CORE_STOPS_AFTER = 3
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
        "string": {"number": 5, "boolean": True},
        "number": {"string": "0.5", "boolean": True},
        "boolean": {"string": "true", "number": 1},
    }
    found = values[field.type] if field.type in values else {"string": str(right), "fraction": right + 0.5}
    found |= {} if field.nullable else {"null": None}
    found |= {"array": [], "object": {}}
    # Servers that take true for 1 have no check against a picture of one pixel.
    return found | ({"boolean": True} if field.type == "integer" and field.name not in SIZES else {})


def _ranged(field: Field, right: Any) -> Body:
    """Values of the right type that are out of a field's range, by what is wrong with them. `right` is within it."""
    if field.name == STRIDE:  # the schema has its minimum where it has previews
        return {"zero": 0, "negative": -1}
    schema, found = field.schema, Body()
    if field.type == "number":
        found |= {"below": schema["minimum"] - 0.1} if "minimum" in schema else {}
        return found | ({"above": schema["maximum"] + 0.1} if "maximum" in schema else {})
    step = schema.get("multipleOf", 1)
    if "minimum" in schema:
        found |= {"zero": 0, "negative": -step} if schema["minimum"] > 0 else {"minus-one": -1, "minus-two": -2}
    found |= {"too-large": schema["maximum"] + 1} if "maximum" in schema else {}
    found |= {"odd": right + 1} if step > 1 else {}
    return found | ({"unknown": f"no_such_{field.name}"} if "enum" in schema else {})


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
    image: Body = {"image": requests.card64(width, height)} if settings.img2img else {}
    needed: dict[str, Body] = {"denoise_strength": image, STRIDE: {"show_diffusion_process": True}}
    cases: dict[str, Body] = {}
    for name in (*RANGED_FIRST, *(name for name in documented() if name not in RANGED_FIRST)):
        field, label = documented()[name], "stride" if name == STRIDE else name
        for kind, value in _ranged(field, plain.get(name, field.default)).items():
            cases[f"{label}-{kind}"] = {**needed.get(name, {}), name: value}
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
        if target.has_stalled(request):
            break
        huge = label.endswith("-huge")
        stop_when = None if accepted < PROVEN_TO_END and not huge else first_event()
        exchange = target.send(label, request, SendOptions(refusal=True), stop_when)
        yield exchange
        accepted += spent_on(exchange).generations
        unanswered += silent(exchange)
        if unanswered == SILENT_ENOUGH or (target.settings.profile == "core" and accepted == CORE_STOPS_AFTER):
            break
    yield target.send("range/health", requests.HEALTH)


SCENARIOS = (
    Scenario("refuse", Cost(), _refuse),
    Scenario("refuse-image", Cost(), _refuse_image, available=no_img2img),
    Scenario("range", Cost(), _range),
)
