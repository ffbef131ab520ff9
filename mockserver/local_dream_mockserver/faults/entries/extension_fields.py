"""Faults and quirks of the extensions that are fields of requests: size, aspect_ratio, schedulers, ultrafix and
reference_images. Those of busy are in `connections.py`, those of what formats show in `pictures.py`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from local_dream_mockserver.faults.effects import events, pictures, requests
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.events import Messages
from local_dream_mockserver.faults.effects.requests import Body, in_stream, left_out, with_status, with_values, without
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import GenerationRequest, Rgb
from local_dream_mockserver.server.errors import Code

FIELD = "reference_images"
FORMATS = ("output_format", "preview_format")
CORE = ("dpm", "euler_a")
"""The schedulers that every server has."""
STEP = 8
"""Sides of pictures are multiples of it."""
W_H = re.compile(r"([1-9][0-9]{0,5}):([1-9][0-9]{0,5})")
Sides: TypeAlias = tuple[int, int]
"""Width and height."""


def tile_of(values: Body) -> int:
    """The side of a tile."""
    tile = values.get("tile_size")
    return tile if isinstance(tile, int) else 512


def is_taken(value: object) -> bool:
    """Whether it is an array that begins like one of pictures."""
    return isinstance(value, list) and len(value) > 1 and all(isinstance(one, str) and len(one) > 8 for one in value)


# Fields that have no effect, or another one


def size_for(*sides: str) -> Callable[[Body], Body]:
    """The field size is read as these fields."""

    def changed(values: Body) -> Body:
        size = values.pop("size", None)
        return values if size is None else {**values, **dict.fromkeys(sides, size)}

    return changed


@requests.values("EXT-SIZ-03", quirk=True)
def size_rounded_down(values: Body) -> Body:
    """A size that is no multiple of 8 is rounded down to one."""
    size = values.get("size")
    if isinstance(size, int) and not isinstance(size, bool) and size >= STEP:
        values["size"] = size // STEP * STEP
    return values


def shaped(sides: Callable[[int, int, int, int], Sides]) -> Callable[[Body], Body]:
    """The size that `sides` makes of width, height and the two numbers of the ratio."""

    def changed(values: Body) -> Body:
        found = W_H.fullmatch(values["aspect_ratio"]) if isinstance(values.get("aspect_ratio"), str) else None
        if not found:
            return values
        del values["aspect_ratio"]
        width, height = sides(values.get("width", 512), values.get("height", 512), int(found[1]), int(found[2]))
        return {**values, "width": max(STEP, width), "height": max(STEP, height)}

    return changed


def along(longer: int, across: int, high: int, rounded: Callable[[float], int] = math.floor, step: int = STEP) -> Sides:
    """Width and height of a ratio; the length that it gives the shorter one is rounded to whole steps."""
    shorter = rounded(longer * min(across, high) / max(across, high) / step) * step
    return (longer, shorter) if across >= high else (shorter, longer)


def unless_wide(width: int, height: int, across: int, high: int) -> Sides:
    """The honest size where the ratio is not wider than high."""
    return (width, height) if across > high else along(max(width, height), across, high)


several(requests.values)(
    "eulera-is-dpm (EXT-SCH-04, EXT-SCH-03): The scheduler eulera is dpm, without a word.",
    lambda values: {**values, "scheduler": "dpm"} if values.get("scheduler") == "eulera" else values,
    "eulera-is-euler (EXT-SCH-04): The scheduler eulera is euler, not euler_a.",
    lambda values: {**values, "scheduler": "euler"} if values.get("scheduler") == "eulera" else values,
    "ultrafix-ignored (EXT-UFX-01): The field ultrafix has no effect.",
    lambda values: without(values, "ultrafix", "tile_size"),
    "ultrafix-ignores-masks (EXT-UFX-06): With ultrafix a mask has no effect.",
    lambda values: without(values, "mask") if values.get("ultrafix") is True else values,
    "reference-images-unknown (EXT-REF-01): The field reference_images has no effect, whatever its value.",
    lambda values: without(values, FIELD),
    "reference-images-ignored (EXT-REF-03): The field reference_images has no effect.",
    lambda values: without(values, FIELD) if is_taken(values.get(FIELD)) else values,
    "reference-gives-the-size (EXT-REF-02): A picture with reference_images has the size of the first of them.",
    lambda values: {**values, "width": 96, "height": 160} if is_taken(values.get(FIELD)) else values,
    "references-made-square (EXT-REF-02): A picture with reference_images is square.",
    lambda values: {**values, "height": values.get("width", 512)} if is_taken(values.get(FIELD)) else values,
    "size-ignored (EXT-SIZ-01): The field size has no effect.",
    size_for(),
    "size-for-the-width (EXT-SIZ-02): The field size replaces the width alone.",
    size_for("width"),
    "size-for-the-height (EXT-SIZ-02): The field size replaces the height alone.",
    size_for("height"),
    "ratio-ignored (EXT-ASP-01): The field aspect_ratio has no effect.",
    lambda values: without(values, "aspect_ratio"),
    "ratio-read-backwards (EXT-ASP-02): The aspect_ratio is read as height and width.",
    shaped(lambda width, height, across, high: along(max(width, height), high, across)),
    "ratio-keeps-the-shorter-side (EXT-ASP-02): With aspect_ratio the longer side is the shorter one of width and"
    " height.",
    shaped(lambda width, height, across, high: along(min(width, height), across, high)),
    "ratio-keeps-the-width (EXT-ASP-02): With aspect_ratio the width stays, and the height follows.",
    shaped(lambda width, height, across, high: (width, width * high // across // STEP * STEP)),
    "ratio-always-portrait (EXT-ASP-02): With aspect_ratio the height is never less than the width.",
    shaped(lambda width, height, across, high: along(max(width, height), min(across, high), max(across, high))),
    "wide-ratios-ignored (EXT-ASP-03): An aspect_ratio that is wider than high has no effect.",
    shaped(unless_wide),
    "ratio-rounds-up (EXT-ASP-03): The shorter side that aspect_ratio makes is rounded up to a multiple of 8.",
    shaped(lambda width, height, across, high: along(max(width, height), across, high, math.ceil)),
    "ratio-rounds-to-nearest (EXT-ASP-03): The shorter side that aspect_ratio makes is rounded to the nearest 8.",
    shaped(lambda width, height, across, high: along(max(width, height), across, high, round)),
    "ratio-in-steps-of-64 (EXT-ASP-03): The shorter side that aspect_ratio makes is rounded down to a multiple of 64.",
    shaped(lambda width, height, across, high: along(max(width, height), across, high, step=64)),
)


# Values that these fields do not have

several(requests.taken)(
    "any-tile-size (EXT-UFX-07): A tile_size that will not do means 8.",
    where(lambda body: with_values(body, tile_size=8), fields=("tile_size",)),
    "odd-references-ignored (EXT-REF-04): What is no array of pictures has no effect.",
    where(left_out, fields=(FIELD,)),
    "other-size-ignored (EXT-SIZ-03): A size that is no multiple of 8, or not an integer, has no effect.",
    where(left_out, fields=("size",)),
    "other-aspect-ratio-ignored (EXT-ASP-04): An aspect_ratio that is not W:H has no effect.",
    where(left_out, fields=("aspect_ratio",)),
    "other-formats-taken (EXT-FMT-06): A format that is not raw, jpeg or png is taken for none.",
    where(left_out, fields=FORMATS),
)
several(requests.refusal)(
    "ultrafix-without-image-500 (EXT-UFX-05): Without an image, ultrafix is answered with status 500.",
    where(with_status(500), fields=("ultrafix",), codes=(Code.MISSING,)),
    "ultrafix-without-image-in-the-stream (EXT-UFX-05): Without an image, ultrafix is answered with an error event.",
    where(
        lambda problem: in_stream({"type": "error", "message": problem.message}),
        fields=("ultrafix",),
        codes=(Code.MISSING,),
    ),
    "ultrafix-with-mask-500 (EXT-UFX-06): With a mask, ultrafix is answered with status 500.",
    where(with_status(500), fields=("ultrafix",), codes=(Code.OUT_OF_RANGE,)),
    "odd-references-500 (EXT-REF-04): What is no array of pictures is answered with status 500.",
    where(with_status(500), fields=(FIELD,)),
    "other-size-500 (EXT-SIZ-03): A size that is no multiple of 8, or not an integer, is answered with status 500.",
    where(with_status(500), fields=("size",)),
    "other-aspect-ratio-500 (EXT-ASP-04): An aspect_ratio that is not W:H is answered with status 500.",
    where(with_status(500), fields=("aspect_ratio",)),
    "other-formats-500 (EXT-FMT-06): A format that is not raw, jpeg or png is answered with status 500.",
    where(with_status(500), fields=FORMATS),
)


# Requests that are refused, or fail, or are drawn otherwise

several(requests.refused)(
    "ultrafix-refused (EXT-UFX-02): Every request with ultrafix is refused.",
    lambda values: "ultrafix: not here" if values.get("ultrafix") is True and "image" in values else "",
    "ultrafix-refuses-large-pictures (EXT-UFX-02): With ultrafix a picture larger than a tile is refused.",
    lambda values: values.get("ultrafix") is True and values.get("width", 512) > tile_of(values) and "width: too large",
    "reference-images-refused (EXT-REF-01): Every request with reference_images is refused.",
    lambda values: f"{FIELD}: not here" if FIELD in values else "",
    "schedulers-refused (EXT-SCH-01): All schedulers but dpm and euler_a are refused.",
    lambda values: "" if values.get("scheduler", "dpm") in CORE else "scheduler: not here",
    "lcm-refused (EXT-SCH-02): The scheduler lcm is refused.",
    lambda values, request: "scheduler: no lcm here" if request.scheduler == "lcm" else "",
)


@events.stream("EXT-SCH-02")
async def lcm_fails(messages: Messages, request: GenerationRequest) -> Messages:
    """With the scheduler lcm a generation fails after a step, with an error event."""
    async for message in messages:
        yield message
        if request.scheduler == "lcm":
            yield Message.error("the network is not made for lcm")
            return


several(pictures.asked)(
    "ultrafix-paints-anew (EXT-UFX-03): With ultrafix the image has no effect.",
    lambda request: replace(request, image=None) if request.ultrafix else request,
    "reference-images-unseen (EXT-REF-03): What reference_images show has no effect.",
    lambda request: replace(request, reference_images=()),
    "schedulers-fall-back (EXT-SCH-03): All schedulers but euler_a are dpm, without a word.",
    lambda request: request if request.scheduler in CORE else replace(request, scheduler="dpm"),
    "lcm-falls-back (EXT-SCH-03): The scheduler lcm is dpm, without a word.",
    lambda request: replace(request, scheduler="dpm") if request.scheduler == "lcm" else request,
)


@pictures.picture("EXT-UFX-04")
def ultrafix_in_one_half(rgb: Rgb, request: GenerationRequest) -> Rgb:
    """With ultrafix the right half of the picture stays as it was."""
    if not request.ultrafix or request.image is None:
        return rgb
    return np.concatenate([rgb[:, : request.width // 2], request.image[:, request.width // 2 :]], axis=1)


@requests.values("EXT-UFX-02")
def ultrafix_makes_one_tile(values: Body) -> Body:
    """With ultrafix a picture of one tile is made, whatever was asked for."""
    if values.get("ultrafix") is not True or "image" not in values:
        return values
    return {**values, "width": tile_of(values), "height": tile_of(values)}


several(pictures.picture)(
    "ultrafix-swaps-tiles (EXT-UFX-03): With ultrafix the halves of the picture stand in each other's place.",
    lambda rgb, request: np.roll(rgb, request.width // 2, axis=1) if request.ultrafix else rgb,
    "ultrafix-changes-nothing (EXT-UFX-04): With ultrafix the image comes back as it was.",
    lambda rgb, request: request.image if request.ultrafix and request.image is not None else rgb,
)
