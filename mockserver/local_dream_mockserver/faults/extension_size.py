"""Faults of the extensions size and aspect_ratio: pictures of another size than these fields say."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from local_dream_mockserver.faults.bodies import Body, Changed, OtherStatus
from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.request import TakenFor, without
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.errors import APIError

RATIO = re.compile(r"([1-9][0-9]{0,5}):([1-9][0-9]{0,5})")
STEP = 8
"""Sides of pictures are multiples of it."""


class Resized(Changed):
    """Reads a request as if it had another size. `change` may change the object that it gets."""

    def __init__(self, place: Trigger | None, change: Callable[[Body], Body]) -> None:
        super().__init__(place)
        self.resize = change

    def changed(self, body: Body) -> Body:
        return self.resize(body)


def _resized(name: str, sentence: str, id: str, extension: str, change: Callable[[Body], Body]) -> None:
    fault(name, sentence, layer=Layer.EXTENSION, breaks=(id,), extensions=(extension,))(partial(Resized, change=change))


def _ignored(field: str) -> Callable[[Body], Body]:
    return lambda body: {name: value for name, value in body.items() if name != field}


def _for(side: str) -> Callable[[Body], Body]:
    """`size` replaces one side alone."""

    def changed(body: Body) -> Body:
        return {**_ignored("size")(body), side: body["size"]} if "size" in body else body

    return changed


_resized("size-ignored", "The field size has no effect.", "EXT-SIZ-01", "size", _ignored("size"))
_resized("size-for-the-width", "The field size replaces the width alone.", "EXT-SIZ-02", "size", _for("width"))
_resized("size-for-the-height", "The field size replaces the height alone.", "EXT-SIZ-02", "size", _for("height"))


def _shaped(sides: Callable[[int, int, int, int], tuple[int, int]]) -> Callable[[Body], Body]:
    """The size that `sides` makes of width, height and the two numbers of the ratio."""

    def changed(body: Body) -> Body:
        found = RATIO.fullmatch(body["aspect_ratio"]) if isinstance(body.get("aspect_ratio"), str) else None
        if not found:
            return body
        width, height = sides(body.get("width", 512), body.get("height", 512), int(found[1]), int(found[2]))
        return {**_ignored("aspect_ratio")(body), "width": max(STEP, width), "height": max(STEP, height)}

    return changed


def _along(longer: int, across: int, down: int, shorter: Callable[[int, int, int], int]) -> tuple[int, int]:
    """Width and height of a ratio; `shorter` makes the shorter side of the longer one and the ratio's two numbers."""
    made = shorter(longer, min(across, down), max(across, down))
    return (longer, made) if across >= down else (made, longer)


def _down(longer: int, less: int, more: int) -> int:
    return longer * less // more // STEP * STEP


def _up(longer: int, less: int, more: int) -> int:
    return -(-longer * less // (more * STEP)) * STEP


def _nearest(longer: int, less: int, more: int) -> int:
    return round(longer * less / more / STEP) * STEP


def _coarse(longer: int, less: int, more: int) -> int:
    return longer * less // more // 64 * 64


def _rounded(shorter: Callable[[int, int, int], int]) -> Callable[[Body], Body]:
    """The shorter side made in another way."""
    return _shaped(lambda width, height, across, down: _along(max(width, height), across, down, shorter))


RATIOS = "aspect_ratio"
_resized("ratio-ignored", "The field aspect_ratio has no effect.", "EXT-ASP-01", RATIOS, _ignored("aspect_ratio"))
_resized(
    "ratio-read-backwards",
    "The aspect_ratio is read as height and width.",
    "EXT-ASP-02",
    RATIOS,
    _shaped(lambda width, height, across, down: _along(max(width, height), down, across, _down)),
)
_resized(
    "ratio-keeps-the-shorter-side",
    "With aspect_ratio the longer side is the shorter one of width and height.",
    "EXT-ASP-02",
    RATIOS,
    _shaped(lambda width, height, across, down: _along(min(width, height), across, down, _down)),
)
_resized(
    "ratio-keeps-the-width",
    "With aspect_ratio the width stays, and the height follows.",
    "EXT-ASP-02",
    RATIOS,
    _shaped(lambda width, height, across, down: (width, width * down // across // STEP * STEP)),
)
_resized(
    "ratio-always-portrait",
    "With aspect_ratio the height is never less than the width.",
    "EXT-ASP-02",
    RATIOS,
    _shaped(
        lambda width, height, across, down: _along(max(width, height), min(across, down), max(across, down), _down)
    ),
)
_resized(
    "wide-ratios-ignored",
    "An aspect_ratio that is wider than high has no effect.",
    "EXT-ASP-03",
    RATIOS,
    _shaped(
        lambda width, height, across, down: (
            (width, height) if across > down else _along(max(width, height), across, down, _down)
        )
    ),
)
for _name, _sentence, _shorter in (
    ("ratio-rounds-up", "The shorter side that aspect_ratio makes is rounded up to a multiple of 8.", _up),
    ("ratio-rounds-to-nearest", "The shorter side that aspect_ratio makes is rounded to the nearest 8.", _nearest),
    ("ratio-in-steps-of-64", "The shorter side that aspect_ratio makes is rounded down to a multiple of 64.", _coarse),
):
    _resized(
        _name,
        _sentence,
        "EXT-ASP-03",
        RATIOS,
        _rounded(_shorter),
    )


def _named(field: str) -> Callable[[APIError], bool]:
    return lambda problem: problem.field == field


for _field, _id, _what in (
    ("size", "EXT-SIZ-03", "A size that is no multiple of 8, or not an integer,"),
    ("aspect_ratio", "EXT-ASP-04", "An aspect_ratio that is not W:H"),
):
    _words = _field.replace("_", "-")
    fault(
        f"other-{_words}-ignored",
        f"{_what} has no effect.",
        layer=Layer.EXTENSION,
        breaks=(_id,),
        extensions=(_field,),
    )(partial(TakenFor, meant=_named(_field), body=without(_field)))
    fault(
        f"other-{_words}-500",
        f"{_what} is answered with status 500.",
        layer=Layer.EXTENSION,
        breaks=(_id,),
        extensions=(_field,),
    )(partial(OtherStatus, status=500, meant=_named(_field)))
