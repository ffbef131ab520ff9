"""Faults of POST /generate: values of a wrong JSON type, and values out of range."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from local_dream_mockserver.faults.bodies import Taken, sent
from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.request import FIELDS, REQUEST, because, status, with_prompt, without
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.errors import APIError, Code

TYPES = {field: f"GEN-TYP-{number:02}" for number, field in enumerate(FIELDS, 1)}
"""Which requirement speaks about the type of which field: they have the same order."""
ALL_TYPES = tuple(TYPES.values())
GENERATED = "GEN-TYP-15"
NUMBERS = ("steps", "cfg", "seed", "width", "height", "denoise_strength", "show_diffusion_stride")


class AnyType(Taken):
    """Takes some fields whatever their type is."""

    def __init__(self, place: Trigger | None, fields: tuple[str, ...]) -> None:
        super().__init__(place)
        self.fields = fields

    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        field = problem.field
        if field not in self.fields or problem.code is not Code.WRONG_TYPE:
            return None
        return with_prompt(body) if field == "prompt" else without(field)(body)


for _field, _id in TYPES.items():
    fault(
        f"{_field.replace('_', '-')}-of-any-type",
        f"A value of a wrong type for {_field} is taken as if it had been left out.",
        layer=REQUEST,
        breaks=(_id,),
    )(partial(AnyType, fields=(_field,)))
status(
    "wrong-types-500",
    "Values of a wrong type are answered with status 500.",
    (*ALL_TYPES, GENERATED),
    500,
    because(Code.WRONG_TYPE),
)


@fault(
    "numbers-from-strings",
    "Numbers are read from strings, too.",
    layer=REQUEST,
    breaks=tuple(TYPES[name] for name in NUMBERS),
)
class NumbersFromStrings(Taken):
    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        field, value = problem.field, sent(body)
        if problem.code is not Code.WRONG_TYPE or not isinstance(value.get(field), str):
            return None
        try:
            number: Any = json.loads(value[field])
        except ValueError:
            return None
        numeric = isinstance(number, int | float) and not isinstance(number, bool)
        return json.dumps({**value, field: number}).encode() if numeric else None


@fault(
    "fractions-cut",
    "Fractions are cut off where an integer is wanted.",
    layer=REQUEST,
    breaks=tuple(TYPES[name] for name in ("steps", "seed", "width", "height", "show_diffusion_stride")),
)
class FractionsCut(Taken):
    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        field, value = problem.field, sent(body)
        if problem.code is not Code.WRONG_TYPE or not isinstance(value.get(field), float):
            return None
        return json.dumps({**value, field: int(value[field])}).encode()


class TypesUnlooked(Taken):
    """Does not look at types where a field has a certain value."""

    def __init__(self, place: Trigger | None, where: Callable[[dict[str, Any]], bool]) -> None:
        super().__init__(place)
        self.where = where

    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        field, value = problem.field, sent(body)
        if problem.code is not Code.WRONG_TYPE or not self.where(value):
            return None
        return with_prompt(body) if field == "prompt" else without(field)(body)


fault(
    "types-unlooked-with-cfg",
    "Where cfg is sent as a number, the types of the other fields are not looked at.",
    layer=REQUEST,
    breaks=(GENERATED,),
)(partial(TypesUnlooked, where=lambda body: isinstance(body.get("cfg"), int | float) and len(body) > 6))
fault(
    "types-unlooked-with-negative-prompt",
    "Where negative_prompt is sent as a string, the types of the other fields are not looked at.",
    layer=REQUEST,
    breaks=(GENERATED,),
)(partial(TypesUnlooked, where=lambda body: isinstance(body.get("negative_prompt"), str)))


class InRange(Taken):
    """Brings values that are out of range into it."""

    def __init__(self, place: Trigger | None, fields: dict[str, Callable[[Any], Any]]) -> None:
        super().__init__(place)
        self.fields = fields

    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        field, value = problem.field, sent(body)
        if field not in self.fields or problem.code is not Code.OUT_OF_RANGE:
            return None
        after = {**value, field: self.fields[field](value[field])}
        return json.dumps(after).encode() if after != value else None


def in_range(name: str, sentence: str, id: str, **fields: Callable[[Any], Any]) -> None:
    """Registers a fault that takes values that are out of range."""
    fault(name, sentence, layer=Layer.REQUEST, breaks=(id,))(partial(InRange, fields=fields))


def _at_least_8(side: int) -> int:
    return max(8, side) if side < 8 else side


def _eights(side: int) -> int:
    return side // 8 * 8 if side > 8 else side


in_range("steps-clamped", "Steps below 1 are taken for 1.", "GEN-RNG-02", steps=lambda steps: max(1, steps))
in_range(
    "size-clamped",
    "A width or height below 1 is taken for 8.",
    "GEN-RNG-03",
    width=_at_least_8,
    height=_at_least_8,
)
in_range(
    "size-rounded",
    "A width or height that is no multiple of 8 is rounded down to one.",
    "GEN-RNG-04",
    width=_eights,
    height=_eights,
)
in_range(
    "strength-clamped",
    "A denoise_strength outside 0 to 1 is taken for the nearer end.",
    "GEN-RNG-05",
    denoise_strength=lambda strength: min(1.0, max(0.0, strength)),
)
in_range(
    "seed-cut-to-32-bits",
    "Of a seed above 4294967295 or below -1 the lower 32 bits are taken.",
    "GEN-RNG-06",
    seed=lambda seed: seed % 2**32 if seed != -1 else seed,
)
in_range(
    "seed-minus-one-is-random",
    "Seed -1 is taken for one of the server's choice.",
    "GEN-RNG-07",
    seed=lambda seed: None if seed == -1 else seed,
)
in_range(
    "stride-clamped",
    "A stride below 1 is taken for 1 where previews are asked for.",
    "GEN-RNG-08",
    show_diffusion_stride=lambda stride: max(1, stride),
)
in_range(
    "unknown-scheduler-is-dpm",
    "An unknown scheduler is taken for dpm.",
    "GEN-RNG-09",
    scheduler=lambda name: "dpm",
)


RANGES = tuple(f"GEN-RNG-{number:02}" for number in range(2, 10))


status(
    "out-of-range-500",
    "Values out of range are answered with status 500.",
    RANGES,
    500,
    because(Code.OUT_OF_RANGE),
)
