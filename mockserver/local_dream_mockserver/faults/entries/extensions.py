"""Faults and quirks of the extensions size, aspect_ratio, schedulers and upscaler-only.

Those of busy, cors, formats and tokenize have files of their own.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TypeAlias

from starlette.types import Scope

from local_dream_mockserver.faults.effects import events, pictures, requests, responses
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import Body, with_status, without
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import Reply
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError

SIZE, RATIO, SCHEDULERS = ("size",), ("aspect_ratio",), ("schedulers",)
CORE = ("dpm", "euler_a")
"""The schedulers that every server has."""
STEP = 8
"""Sides of pictures are multiples of it."""
W_H = re.compile(r"([1-9][0-9]{0,5}):([1-9][0-9]{0,5})")
Sides: TypeAlias = tuple[int, int]
"""Width and height."""


# size


@requests.values("EXT-SIZ-01", extensions=SIZE)
def size_ignored(values: Body) -> Body:
    """The field size has no effect."""
    values.pop("size", None)
    return values


@requests.values("EXT-SIZ-02", extensions=SIZE)
def size_for_the_width(values: Body) -> Body:
    """The field size replaces the width alone."""
    if "size" in values:
        values["width"] = values.pop("size")
    return values


@requests.values("EXT-SIZ-02", extensions=SIZE)
def size_for_the_height(values: Body) -> Body:
    """The field size replaces the height alone."""
    if "size" in values:
        values["height"] = values.pop("size")
    return values


@requests.values("EXT-SIZ-03", extensions=SIZE, quirk=True)
def size_rounded_down(values: Body) -> Body:
    """A size that is no multiple of 8 is rounded down to one."""
    size = values.get("size")
    if isinstance(size, int) and not isinstance(size, bool) and size >= STEP:
        values["size"] = size // STEP * STEP
    return values


# aspect_ratio


@requests.values("EXT-ASP-01", extensions=RATIO)
def ratio_ignored(values: Body) -> Body:
    """The field aspect_ratio has no effect."""
    values.pop("aspect_ratio", None)
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


def down(length: float, step: int = STEP) -> int:
    """A length in pixels as a multiple of a step."""
    return int(length // step * step)


def up(length: float) -> int:
    """The same, not shorter than the length."""
    return -down(-length)


def nearest(length: float) -> int:
    """The same, as near to the length as can be."""
    return round(length / STEP) * STEP


def along(longer: int, across: int, high: int, rounded: Callable[[float], int] = down) -> Sides:
    """Width and height of a ratio; `rounded` makes a side of the length that the ratio gives the shorter one."""
    shorter = rounded(longer * min(across, high) / max(across, high))
    return (longer, shorter) if across >= high else (shorter, longer)


for _id, _name, _sentence, _sides in (
    (
        "EXT-ASP-02",
        "ratio-read-backwards",
        "The aspect_ratio is read as height and width.",
        lambda width, height, across, high: along(max(width, height), high, across),
    ),
    (
        "EXT-ASP-02",
        "ratio-keeps-the-shorter-side",
        "With aspect_ratio the longer side is the shorter one of width and height.",
        lambda width, height, across, high: along(min(width, height), across, high),
    ),
    (
        "EXT-ASP-02",
        "ratio-keeps-the-width",
        "With aspect_ratio the width stays, and the height follows.",
        lambda width, height, across, high: (width, down(width * high / across)),
    ),
    (
        "EXT-ASP-02",
        "ratio-always-portrait",
        "With aspect_ratio the height is never less than the width.",
        lambda width, height, across, high: along(max(width, height), *sorted((across, high))),
    ),
    (
        "EXT-ASP-03",
        "wide-ratios-ignored",
        "An aspect_ratio that is wider than high has no effect.",
        lambda width, height, across, high: (
            (width, height) if across > high else along(max(width, height), across, high)
        ),
    ),
    (
        "EXT-ASP-03",
        "ratio-rounds-up",
        "The shorter side that aspect_ratio makes is rounded up to a multiple of 8.",
        lambda width, height, across, high: along(max(width, height), across, high, up),
    ),
    (
        "EXT-ASP-03",
        "ratio-rounds-to-nearest",
        "The shorter side that aspect_ratio makes is rounded to the nearest 8.",
        lambda width, height, across, high: along(max(width, height), across, high, nearest),
    ),
    (
        "EXT-ASP-03",
        "ratio-in-steps-of-64",
        "The shorter side that aspect_ratio makes is rounded down to a multiple of 64.",
        lambda width, height, across, high: along(max(width, height), across, high, lambda side: down(side, 64)),
    ),
):
    requests.values(_id, extensions=RATIO, name=_name, sentence=_sentence)(shaped(_sides))


# Values that these fields do not have

several(requests.taken, field="size", extensions=SIZE)(
    "other-size-ignored (EXT-SIZ-03): A size that is no multiple of 8, or not an integer, has no effect.",
    lambda body: without(body, "size"),
)
several(requests.refusal, field="size", extensions=SIZE)(
    "other-size-500 (EXT-SIZ-03): A size that is no multiple of 8, or not an integer, is answered with status 500.",
    lambda problem: with_status(problem, 500),
)
several(requests.taken, field="aspect_ratio", extensions=RATIO)(
    "other-aspect-ratio-ignored (EXT-ASP-04): An aspect_ratio that is not W:H has no effect.",
    lambda body: without(body, "aspect_ratio"),
)
several(requests.refusal, field="aspect_ratio", extensions=RATIO)(
    "other-aspect-ratio-500 (EXT-ASP-04): An aspect_ratio that is not W:H is answered with status 500.",
    lambda problem: with_status(problem, 500),
)


# schedulers


def no_scheduler(name: str) -> APIError:
    """The refusal of a scheduler."""
    return APIError(400, f"scheduler: no {name} here")


several(requests.refused, extensions=SCHEDULERS)(
    "schedulers-refused (EXT-SCH-01): All schedulers but dpm and euler_a are refused.",
    lambda values, request: None if request.scheduler in CORE else no_scheduler(request.scheduler),
    "lcm-refused (EXT-SCH-02): The scheduler lcm is refused.",
    lambda values, request: no_scheduler("lcm") if request.scheduler == "lcm" else None,
)


@events.stream("EXT-SCH-02", extensions=SCHEDULERS)
async def lcm_fails(messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
    """With the scheduler lcm a generation fails after a step, with an error event."""
    async for message in messages:
        yield message
        if request.scheduler == "lcm":
            yield Message("error", "error", {"type": "error", "message": "the network is not made for lcm"})
            return


several(pictures.asked, extensions=SCHEDULERS)(
    "schedulers-fall-back (EXT-SCH-03): All schedulers but euler_a are dpm, without a word.",
    lambda request: request if request.scheduler in CORE else replace(request, scheduler="dpm"),
    "lcm-falls-back (EXT-SCH-03): The scheduler lcm is dpm, without a word.",
    lambda request: replace(request, scheduler="dpm") if request.scheduler == "lcm" else request,
)


# upscaler-only, and the same for pages


def lacking(scope: Scope) -> Reply:
    """The answer where a path is not there; pages of other origins may read it, unless they ask before."""
    origins = () if scope["method"] == "OPTIONS" else ((b"access-control-allow-origin", b"*"),)
    return Reply.of_error(404, f"there is no {scope['path']}", *origins)


for _status in (405, 501):

    def no_operation(scope: Scope, status: int = _status) -> Reply:
        return Reply.of_error(status if scope["method"] == "POST" else 404, "there is no /generate")

    responses.instead(
        "EXT-UPO-02",
        on=("/generate",),
        extensions=("upscaler-only",),
        name=f"no-generate-{_status}",
        sentence=f"There is no /generate, and POST to it is answered with status {_status}.",
    )(no_operation)


several(responses.instead, on=("/generate", "/upscale"), extensions=("upscaler-only",))(
    "neither-generate-nor-upscale (EXT-UPO-01): There is neither /generate nor /upscale.",
    lacking,
)
several(responses.instead, on=("/upscale",), extensions=("cors",), quirk=True)(
    "pages-without-upscale: There is no /upscale, nor a preflight of it.",
    lacking,
)
several(responses.instead, on=("/generate",), extensions=("cors", "upscaler-only"), quirk=True)(
    "pages-without-generate: There is no /generate, nor a preflight of it.",
    lacking,
)
