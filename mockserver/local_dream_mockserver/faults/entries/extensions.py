"""Faults and quirks of the extensions size, aspect_ratio, schedulers and upscaler-only.

Those of busy are in `connections.py`, those of formats in `pictures.py`; the others have files of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from starlette.types import Scope

from local_dream_mockserver.faults.effects import events, pictures, requests, responses
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import Body, with_status, without
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import Reply
from local_dream_mockserver.server.engine import GenerationRequest

CORE = ("dpm", "euler_a")
"""The schedulers that every server has."""
STEP = 8
"""Sides of pictures are multiples of it."""
W_H = re.compile(r"([1-9][0-9]{0,5}):([1-9][0-9]{0,5})")
Sides: TypeAlias = tuple[int, int]
"""Width and height."""


# size


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


# aspect_ratio


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
    "size-ignored (EXT-SIZ-01): The field size has no effect.",
    size_for(),
    "size-for-the-width (EXT-SIZ-02): The field size replaces the width alone.",
    size_for("width"),
    "size-for-the-height (EXT-SIZ-02): The field size replaces the height alone.",
    size_for("height"),
    "ratio-ignored (EXT-ASP-01): The field aspect_ratio has no effect.",
    lambda values: {name: value for name, value in values.items() if name != "aspect_ratio"},
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

several(requests.taken, field="size")(
    "other-size-ignored (EXT-SIZ-03): A size that is no multiple of 8, or not an integer, has no effect.",
    lambda body: without(body, "size"),
)
several(requests.refusal, field="size")(
    "other-size-500 (EXT-SIZ-03): A size that is no multiple of 8, or not an integer, is answered with status 500.",
    lambda problem: with_status(problem, 500),
)
several(requests.taken, field="aspect_ratio")(
    "other-aspect-ratio-ignored (EXT-ASP-04): An aspect_ratio that is not W:H has no effect.",
    lambda body: without(body, "aspect_ratio"),
)
several(requests.refusal, field="aspect_ratio")(
    "other-aspect-ratio-500 (EXT-ASP-04): An aspect_ratio that is not W:H is answered with status 500.",
    lambda problem: with_status(problem, 500),
)


# schedulers

several(requests.refused)(
    "schedulers-refused (EXT-SCH-01): All schedulers but dpm and euler_a are refused.",
    lambda values: "" if values.get("scheduler", "dpm") in CORE else "scheduler: not here",
    "lcm-refused (EXT-SCH-02): The scheduler lcm is refused.",
    lambda values, request: "scheduler: no lcm here" if request.scheduler == "lcm" else "",
)


@events.stream("EXT-SCH-02")
async def lcm_fails(messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
    """With the scheduler lcm a generation fails after a step, with an error event."""
    async for message in messages:
        yield message
        if request.scheduler == "lcm":
            yield Message("error", "error", {"type": "error", "message": "the network is not made for lcm"})
            return


several(pictures.asked)(
    "schedulers-fall-back (EXT-SCH-03): All schedulers but euler_a are dpm, without a word.",
    lambda request: request if request.scheduler in CORE else replace(request, scheduler="dpm"),
    "lcm-falls-back (EXT-SCH-03): The scheduler lcm is dpm, without a word.",
    lambda request: replace(request, scheduler="dpm") if request.scheduler == "lcm" else request,
)


def with_eulera_as(scheduler: str, values: Body) -> Body:
    """The request with another scheduler in place of eulera."""
    return {**values, "scheduler": scheduler} if values.get("scheduler") == "eulera" else values


several(requests.values, "EXT-SCH-04")(
    "eulera-is-dpm (EXT-SCH-03): The scheduler eulera is dpm, without a word.",
    partial(with_eulera_as, "dpm"),
    "eulera-is-euler: The scheduler eulera is euler, not euler_a.",
    partial(with_eulera_as, "euler"),
)


# upscaler-only, and the same for pages


def lacking(scope: Scope) -> Reply:
    """The answer where a path is not there; pages of other origins may read it, unless they ask before."""
    origins = () if scope["method"] == "OPTIONS" else ((b"access-control-allow-origin", b"*"),)
    return Reply.of_error(404, f"there is no {scope['path']}", *origins)


def no_generate(status: int) -> Callable[[Scope], Reply]:
    """The answer of this status to POST, and 404 to all other methods."""
    return lambda scope: Reply.of_error(status if scope["method"] == "POST" else 404, "there is no /generate")


several(responses.instead, on=("/generate",))(
    "no-generate-405 (EXT-UPO-02): There is no /generate, and POST to it is answered with status 405.",
    no_generate(405),
    "no-generate-501 (EXT-UPO-02): There is no /generate, and POST to it is answered with status 501.",
    no_generate(501),
)
several(responses.instead, on=("/generate", "/upscale"))(
    "neither-generate-nor-upscale (EXT-UPO-01): There is neither /generate nor /upscale.",
    lacking,
)
several(responses.instead, on=("/upscale",), extensions=("cors",))(
    "pages-without-upscale (quirk): There is no /upscale, nor a preflight of it.",
    lacking,
)
several(responses.instead, on=("/generate",), extensions=("cors", "upscaler-only"))(
    "pages-without-generate (quirk): There is no /generate, nor a preflight of it.",
    lacking,
)
