"""Faults and quirks of the extensions size, aspect_ratio, schedulers, upscaler-only and tokenize.

Those of busy are in `connections.py`, those of formats in `pictures.py`, those of cors in a file of their own.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from starlette.types import Scope

from local_dream_mockserver.faults.effects import events, pictures, requests, responses
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import Body, sent, with_status, without
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import Reply
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code

SIZE, RATIO, SCHEDULERS = ("size",), ("aspect_ratio",), ("schedulers",)
CORE = ("dpm", "euler_a")
"""The schedulers that every server has."""
STEP = 8
"""Sides of pictures are multiples of it."""
W_H = re.compile(r"([1-9][0-9]{0,5}):([1-9][0-9]{0,5})")
Sides: TypeAlias = tuple[int, int]
"""Width and height."""
Count: TypeAlias = dict[str, Any]
"""`count`, `max_length` and `overflow_offset`."""
MISSING = (Code.MISSING,)
NOTHING = Reply.of_json(200, {"count": 2, "max_length": 77, "overflow_offset": -1})
"""The count of an empty prompt."""


# size


def size_for(*sides: str) -> Callable[[Body], Body]:
    """The field size is read as these fields."""

    def changed(values: Body) -> Body:
        size = values.pop("size", None)
        return values if size is None else {**values, **dict.fromkeys(sides, size)}

    return changed


several(requests.values, extensions=SIZE)(
    "size-ignored (EXT-SIZ-01): The field size has no effect.",
    size_for(),
    "size-for-the-width (EXT-SIZ-02): The field size replaces the width alone.",
    size_for("width"),
    "size-for-the-height (EXT-SIZ-02): The field size replaces the height alone.",
    size_for("height"),
)


@requests.values("EXT-SIZ-03", extensions=SIZE, quirk=True)
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


def unless_wide(width: int, height: int, across: int, high: int) -> Sides:
    """The honest size where the ratio is not wider than high."""
    return (width, height) if across > high else along(max(width, height), across, high)


several(requests.values, extensions=RATIO)(
    "ratio-ignored (EXT-ASP-01): The field aspect_ratio has no effect.",
    lambda values: {name: value for name, value in values.items() if name != "aspect_ratio"},
    "ratio-read-backwards (EXT-ASP-02): The aspect_ratio is read as height and width.",
    shaped(lambda width, height, across, high: along(max(width, height), high, across)),
    "ratio-keeps-the-shorter-side (EXT-ASP-02): With aspect_ratio the longer side is the shorter one of width and"
    " height.",
    shaped(lambda width, height, across, high: along(min(width, height), across, high)),
    "ratio-keeps-the-width (EXT-ASP-02): With aspect_ratio the width stays, and the height follows.",
    shaped(lambda width, height, across, high: (width, down(width * high / across))),
    "ratio-always-portrait (EXT-ASP-02): With aspect_ratio the height is never less than the width.",
    shaped(lambda width, height, across, high: along(max(width, height), min(across, high), max(across, high))),
    "wide-ratios-ignored (EXT-ASP-03): An aspect_ratio that is wider than high has no effect.",
    shaped(unless_wide),
    "ratio-rounds-up (EXT-ASP-03): The shorter side that aspect_ratio makes is rounded up to a multiple of 8.",
    shaped(lambda width, height, across, high: along(max(width, height), across, high, up)),
    "ratio-rounds-to-nearest (EXT-ASP-03): The shorter side that aspect_ratio makes is rounded to the nearest 8.",
    shaped(lambda width, height, across, high: along(max(width, height), across, high, nearest)),
    "ratio-in-steps-of-64 (EXT-ASP-03): The shorter side that aspect_ratio makes is rounded down to a multiple of 64.",
    shaped(lambda width, height, across, high: along(max(width, height), across, high, lambda side: down(side, 64))),
)


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

several(requests.refused, extensions=SCHEDULERS)(
    "schedulers-refused (EXT-SCH-01): All schedulers but dpm and euler_a are refused.",
    lambda values: "" if values.get("scheduler", "dpm") in CORE else "scheduler: not here",
    "lcm-refused (EXT-SCH-02): The scheduler lcm is refused.",
    lambda values, request: "scheduler: no lcm here" if request.scheduler == "lcm" else "",
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


def no_generate(status: int) -> Callable[[Scope], Reply]:
    """The answer of this status to POST, and 404 to all other methods."""
    return lambda scope: Reply.of_error(status if scope["method"] == "POST" else 404, "there is no /generate")


several(responses.instead, on=("/generate",), extensions=("upscaler-only",))(
    "no-generate-405 (EXT-UPO-02): There is no /generate, and POST to it is answered with status 405.",
    no_generate(405),
    "no-generate-501 (EXT-UPO-02): There is no /generate, and POST to it is answered with status 501.",
    no_generate(501),
)
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


answered = partial(responses.rewrite, on=("/tokenize",), methods=("POST",), extensions=("tokenize",))
counted = partial(responses.document, on=("/tokenize",), methods=("POST",), extensions=("tokenize",))


# What a count is

several(answered, statuses=(200, 400))(
    "tokenize-404 (EXT-TOK-01): There is no /tokenize.",
    lambda: Reply.of_error(404, "no such path"),
)
several(answered, statuses=(200,))(
    "tokenize-as-page (EXT-TOK-02): Counts of /tokenize say that they are text/html.",
    lambda reply: Reply.of(200, "text/html", reply.body, *reply.without(b"content-type").headers),
    "empty-prompt-uncounted (EXT-TOK-02): An empty prompt is refused by /tokenize.",
    lambda reply, problem, body: Reply.of_error(400, "prompt: empty") if sent(body)["prompt"] == "" else reply,
)
several(counted)(
    "max-length-as-text (EXT-TOK-02): The max_length of /tokenize is a text of digits.",
    lambda count: {**count, "max_length": str(count["max_length"])},
    "max-length-negative (EXT-TOK-02): The max_length of /tokenize is -1.",
    lambda count: {**count, "max_length": -1},
    "max-length-zero (EXT-TOK-04): The max_length of /tokenize is 0, no limit, and overflow_offset says where one is.",
    lambda count: {**count, "max_length": 0},
    "count-stops-at-max-length (EXT-TOK-03): The count of /tokenize is never greater than max_length.",
    lambda count: {**count, "count": min(count["count"], count["max_length"])},
    "count-of-different-words (EXT-TOK-03): A word that comes again in a prompt is not counted by /tokenize.",
    lambda count, asked: {**count, "count": len(set(asked["prompt"].split())) + 2},
    "max-length-grows (EXT-TOK-03): The max_length of /tokenize grows with the prompt.",
    lambda count: {**count, "max_length": max(77, -(-count["count"] // 77) * 77)},
)
several(counted, quirk=True)(
    "tokenize-in-decimals: The numbers of /tokenize are written as 12.0, beside further keys.",
    lambda count: {**{name: float(value) for name, value in count.items()}, "tokenizer": "clip", "tokens": []},
)


# Where a prompt grows too long


def before_overflow(count: Count, prompt: str) -> str:
    """The part of the prompt that still fits, all of it where nothing is too long."""
    offset = count["overflow_offset"]
    return prompt if offset < 0 else prompt.encode("utf-16-le")[: 2 * offset].decode("utf-16-le")


def with_overflow(count: Count, offset: int) -> Count:
    """The count with another offset, if the prompt is too long."""
    return count if count["overflow_offset"] < 0 else {**count, "overflow_offset": offset}


several(counted)(
    "overflow-in-bytes (EXT-TOK-04): The overflow_offset counts bytes of UTF-8.",
    lambda count, asked: with_overflow(count, len(before_overflow(count, asked["prompt"]).encode())),
    "overflow-in-characters (EXT-TOK-04): The overflow_offset counts characters.",
    lambda count, asked: with_overflow(count, len(before_overflow(count, asked["prompt"]))),
    "overflow-never (EXT-TOK-04): The overflow_offset is -1 for every prompt.",
    lambda count: {**count, "overflow_offset": -1},
    "overflow-null (EXT-TOK-04): The overflow_offset is null where all fits.",
    lambda count: count if count["overflow_offset"] >= 0 else {**count, "overflow_offset": None},
)
several(counted, quirk=True)(
    "tokenize-without-overflow: Counts of /tokenize have no overflow_offset.",
    lambda count: {name: value for name, value in count.items() if name != "overflow_offset"},
)


# What cannot be counted


def is_missing(problem: APIError) -> bool:
    """Whether a refusal says that there is no prompt, which has requirements of its own."""
    return problem.code is Code.MISSING


several(answered)(
    "tokenize-error-of-another-type (EXT-TOK-05): Refusals of /tokenize are of type request_error.",
    lambda reply, problem: reply if is_missing(problem) else Reply.of_error(400, problem.message),
    "tokenize-refuses-with-500 (EXT-TOK-05): What /tokenize cannot read is answered with status 500.",
    lambda reply, problem: reply if is_missing(problem) else Reply.of_error(500, "json.exception"),
    "any-prompt-counted (EXT-TOK-05): A prompt that is not a string, and a body that is not JSON, are counted as an"
    " empty prompt.",
    lambda reply, problem: reply if is_missing(problem) else NOTHING,
)
several(answered, codes=MISSING)(
    "missing-prompt-counted (EXT-TOK-06): A missing prompt is counted as an empty one.",
    lambda: NOTHING,
    "missing-prompt-500 (EXT-TOK-06): A missing prompt is answered by /tokenize with status 500.",
    lambda: Reply.of_error(500, "json.exception"),
)
