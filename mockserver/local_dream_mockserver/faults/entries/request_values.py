"""Faults and quirks of the values in POST /generate: types, ranges, and what fields mean that were left out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from local_dream_mockserver.faults.effects import requests
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.requests import Body, left_out, sent, with_status
from local_dream_mockserver.server import clock
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import Code
from local_dream_mockserver.server.spec import fields_of, ids_of

TYPES = {field: ids_of(field)["type"] for field in fields_of()}
"""Which requirement speaks about the type of which field."""
RANGES = tuple(sorted({id for field in TYPES for id in ids_of(field).values() if id.startswith("GEN-RNG-")}))
INTEGERS = fields_of("integer")
NUMBERS = fields_of("integer", "number")
GENERATED = "GEN-TYP-15"
WRONG_TYPE, OUT_OF_RANGE = (Code.WRONG_TYPE,), (Code.OUT_OF_RANGE,)


# Types

for _field, _id in TYPES.items():
    _name = f"{_field.replace('_', '-')}-of-any-type"
    several(requests.taken, _id, codes=WRONG_TYPE, fields=(_field,))(
        f"{_name}: A value of a wrong type for {_field} is taken as if it had been left out.",
        left_out,
    )


@requests.mended(*(TYPES[name] for name in NUMBERS), codes=WRONG_TYPE)
def numbers_from_strings(text: Any) -> Any:
    """Numbers are read from strings, too."""
    try:
        number = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return text
    return number if isinstance(number, int | float) and not isinstance(number, bool) else text


several(requests.mended, *(TYPES[name] for name in INTEGERS), codes=WRONG_TYPE)(
    "fractions-cut: Fractions are cut off where an integer is wanted.",
    lambda value: int(value) if isinstance(value, float) else value,
)


several(requests.refusal, *TYPES.values(), GENERATED, codes=WRONG_TYPE)(
    "wrong-types-500: Values of a wrong type are answered with status 500.",
    with_status(500),
)
several(requests.taken, GENERATED, codes=WRONG_TYPE)(
    "types-unlooked-with-cfg: Where cfg is sent as a number, the types of the other fields are not looked at.",
    lambda body, problem: (
        left_out(body, problem) if len(sent(body)) > 6 and isinstance(sent(body).get("cfg"), int | float) else None
    ),
    "types-unlooked-with-negative-prompt: Where negative_prompt is sent as a string, the types of the other fields are"
    " not looked at.",
    lambda body, problem: left_out(body, problem) if isinstance(sent(body).get("negative_prompt"), str) else None,
)


# Ranges


def within(least: float, most: float = math.inf) -> Callable[[float], float]:
    """The nearest value of a range."""
    return lambda value: max(least, min(value, most))


CLAMPED: dict[str, Callable[[Any], Any]] = {
    "steps": within(1, 100),
    "width": lambda side: within(8, 2048)(side // 8 * 8),
    "height": lambda side: within(8, 2048)(side // 8 * 8),
    "denoise_strength": within(0, 1),
    "seed": lambda seed: seed % 2**32,
    "show_diffusion_stride": within(1),
    "scheduler": lambda name: "dpm",
}

several(requests.mended, codes=OUT_OF_RANGE)(
    "steps-clamped (GEN-RNG-02): Steps below 1 are taken for 1.",
    where(within(1), fields=("steps",)),
    "size-clamped (GEN-RNG-03): A width or height below 1 is taken for 8.",
    where(within(8), fields=("width", "height")),
    "size-rounded (GEN-RNG-04): A width or height that is no multiple of 8 is rounded down to one.",
    where(lambda side: side // 8 * 8 if side > 8 else side, fields=("width", "height")),
    "strength-clamped (GEN-RNG-05): A denoise_strength outside 0 to 1 is taken for the nearer end.",
    where(within(0, 1), fields=("denoise_strength",)),
    "seed-cut-to-32-bits (GEN-RNG-06): Of a seed above 4294967295 or below -1 the lower 32 bits are taken.",
    where(lambda seed: seed % 2**32 if seed != -1 else seed, fields=("seed",)),
    "seed-minus-one-is-random (GEN-RNG-07): Seed -1 is taken for one of the server's choice.",
    where(lambda seed: None if seed == -1 else seed, fields=("seed",)),
    "stride-clamped (GEN-RNG-08): A stride below 1 is taken for 1 where previews are asked for.",
    where(within(1), fields=("show_diffusion_stride",)),
    "unknown-scheduler-is-dpm (GEN-RNG-09): An unknown scheduler is taken for dpm.",
    where(lambda name: "dpm", fields=("scheduler",)),
    "scheduler-in-part (GEN-RNG-09): A scheduler is known by a part of its name: dp is dpm.",
    where(lambda name: "dpm" if name and name in "dpm" else name, fields=("scheduler",)),
)
several(requests.mended, *RANGES, codes=OUT_OF_RANGE)(
    "values-clamped (quirk): Values out of range are brought into it.",
    lambda value, field: CLAMPED.get(field, lambda value: value)(value),
)
several(requests.refusal, *RANGES, codes=OUT_OF_RANGE)(
    "out-of-range-500: Values out of range are answered with status 500.",
    with_status(500),
)


# Defaults


def defaults(others: Body) -> Callable[[Body], Body]:
    """Other values for fields that were left out, or sent as null."""
    return lambda values: {**others, **{name: value for name, value in values.items() if value is not None}}


DEFAULTS: dict[str, Body] = {
    'negative-by-default: Without negative_prompt it is "blurry, green".': {"negative_prompt": "blurry, green"},
    'negative-x-by-default: Without negative_prompt it is "x".': {"negative_prompt": "x"},
    "thirty-steps-by-default: Without steps 30 are taken.": {"steps": 30},
    "four-steps-by-default: Without steps 4 are taken.": {"steps": 4},
    "cfg-1-by-default: Without cfg it is 1.0.": {"cfg": 1.0},
    "cfg-12-by-default: Without cfg it is 12.": {"cfg": 12},
    "wide-by-default: Without width it is 768.": {"width": 768},
    "tall-by-default: Without height it is 768.": {"height": 768},
    "square-768-by-default: Without width and height the picture is 768x768.": {"width": 768, "height": 768},
    "euler-a-by-default: Without scheduler it is euler_a.": {"scheduler": "euler_a"},
    "strength-80-by-default: Without denoise_strength it is 0.8.": {"denoise_strength": 0.8},
    "strength-40-by-default: Without denoise_strength it is 0.4.": {"denoise_strength": 0.4},
    "previews-by-default: Without show_diffusion_process previews are sent.": {"show_diffusion_process": True},
    "stride-2-by-default: Without show_diffusion_stride it is 2.": {"show_diffusion_stride": 2},
}
for _head, _others in DEFAULTS.items():
    several(requests.values, *(ids_of(field)["default"] for field in _others))(_head, defaults(_others))


@requests.values("GEN-DEF-08", state=dict)
def previews_of_the_last_request(last: Body, values: Body) -> Body:
    """Without show_diffusion_process it is as in the request before."""
    after = {**last, **values}
    if isinstance(values.get("show_diffusion_process"), bool):
        last["show_diffusion_process"] = values["show_diffusion_process"]
    return after


def with_opencl(request: GenerationRequest) -> GenerationRequest:
    """With OpenCL, which computes something else than the CPU here."""
    return replace(request, use_opencl=True, cfg=request.cfg + 10)


several(requests.accepted)(
    "opencl-by-default (GEN-DEF-10): Without use_opencl it is true, which shows in the picture.",
    lambda request, values: request if values.get("use_opencl") is False else with_opencl(request),
    "opencl-by-default-with-image (GEN-DEF-10): Without use_opencl it is true where the request has an image, which"
    " shows in the picture.",
    lambda request, values: (
        with_opencl(request)
        if request.use_opencl or (request.image is not None and values.get("use_opencl") is None)
        else request
    ),
)
several(requests.values)(
    "euler-a-by-default-with-image (GEN-DEF-06): Without scheduler it is euler_a where the request has an image.",
    lambda values: defaults({"scheduler": "euler_a"})(values) if values.get("image") else values,
    "seed-42-by-default (GEN-DEF-12): Without seed it is always 42.",
    defaults({"seed": 42}),
)


@requests.accepted("GEN-DEF-12", state=dict)
def picked_seed_follows_the_last(last: dict[str, int], request: GenerationRequest, values: Body) -> GenerationRequest:
    """A seed that the server picks follows from that of the generation before, sent or picked."""
    if values.get("seed") is None and last:
        request = replace(request, seed=(last["seed"] * 1664525 + 1013904223) % 2**32)
    last["seed"] = request.seed
    return request


@requests.accepted("GEN-DEF-12")
def picked_seed_by_the_clock(request: GenerationRequest, values: Body) -> GenerationRequest:
    """A seed that the server picks is the time, in units of ten seconds."""
    return replace(request, seed=int(clock.monotonic() / 10)) if values.get("seed") is None else request
