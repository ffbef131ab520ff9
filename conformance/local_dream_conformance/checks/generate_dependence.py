"""Checks of the group generate-pictures: the seed and the prompts settle a picture.

The bounds leave room for real diffusion models at small sizes and few steps, whose decoder changes every pixel a
little; they are far from what a server does that ignores a field.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.strict_json import integer, number
from local_dream_conformance.evidence.generation import GenerationStream
from local_dream_conformance.evidence.image_compare import (
    SAME,
    alike,
    is_its_image,
    likeness,
    unlikeness,
)
from local_dream_conformance.evidence.images import file_sent, pixels_of
from local_dream_conformance.evidence.selectors import (
    GENERATIONS,
    PREVIEWS_ONLY,
    fields,
    picture,
    pictured,
    pictured_fields,
    size,
)

LEFT_OUT = "nulls/left-out"
UNTOUCHED = 55.0
"""PSNR in dB from which two pictures of requests that differ are the same one: what a field does to a picture can be
little, but it is more than a last bit here and there."""
UNSETTLED = 1.5
"""dB by which two pictures of requests that differ may be less alike than two of the same request, and still count as
the same one."""


@check("GEN-PIC-07", needs=["defaults"], over=GENERATIONS, requires=["GEN-PIC-14"])
def same_seed_same_picture(context: Context) -> None:
    pairs = list(_repetitions(context))
    for one, other in pairs:
        context.expect(
            alike(one, other),
            expected=f"the picture of {one.exchange.label}: the same request with the same seed",
            got=unlikeness(one, other),
            exchange=other.exchange,
            cause="the seed does not settle the picture?",
        )
    if not pairs:
        _by_defaults(context)


def _by_defaults(context: Context) -> None:
    """Without a repeated request: the runs of the scenario `defaults` mean the same request, if defaults are as
    written.

    Two of them that give the same picture prove that the seed settles it. Where none do, two wrong defaults could
    explain two runs, but not more.
    """
    runs = [stream for stream, _ in pictured(context, "defaults/")]
    if len(runs) < 2:
        raise MissingEvidence("no two generations had the same request and seed")
    pairs = list(combinations(runs, 2))
    if not any(alike(*pair) for pair in pairs) and any(size(one) != size(other) for one, other in pairs):
        raise MissingEvidence("the only generations with the same seed differ in size: a default is not as written")
    context.expect(
        any(alike(*pair) for pair in pairs),
        expected=f"the same picture from two of {', '.join(run.exchange.label for run in runs)}",
        got=f"{unlikeness(*pairs[0])} between the first two, and no two alike",
        exchange=runs[1].exchange,
        cause="the seed does not settle the picture?"
        if len(runs) > 2
        else "the seed does not settle the picture, or a default is another one than the written one?",
    )


@check("GEN-PIC-23", needs=["base", "nulls"], over=["base", "nulls"], requires=["GEN-PIC-07"])
def the_same_with_previews(context: Context) -> None:
    """The scenario nulls asks for no previews, base does; where null is no default, nulls/left-out leaves it out."""
    runs = {stream.exchange.label: stream for stream, _ in pictured(context)}
    base, without = runs.get("base"), runs.get(LEFT_OUT, runs.get("nulls"))
    if base is None or without is None:
        raise MissingEvidence("no two generations differ in their previews alone")
    same = alike(base, without)
    if not same and LEFT_OUT not in runs:
        raise MissingEvidence("the two generations that differ in their previews differ in fields sent as null, too")
    context.expect(
        same,
        expected="the picture of base, which has previews",
        got=unlikeness(base, without),
        exchange=without.exchange,
        cause="the picture is taken from a preview, or the previews use up random numbers?",
    )


@check("GEN-PIC-08", needs=["base", "nulls"], over=GENERATIONS, requires=["GEN-PIC-07"])
def same_seed_same_bytes(context: Context) -> None:
    pairs = list(_same_again(context))
    if not pairs:
        raise MissingEvidence("no two generations had the same request and seed")
    for one, other in pairs:
        first, second = picture(one), picture(other)
        context.expect(
            first is not None and second is not None and np.array_equal(first.pixels, second.pixels),
            expected=f"the bytes of {one.exchange.label}: the same request with the same seed",
            got=unlikeness(one, other),
            exchange=other.exchange,
        )


@check("GEN-PIC-09", needs=["base", "overlap"], over=GENERATIONS, requires=["GEN-PIC-14"])
def other_seed_other_picture(context: Context) -> None:
    pairs = [(one, other) for one, other in _pairs(context, "seed") if _seed(one) != _seed(other)]
    if not pairs:
        raise MissingEvidence("no two generations differ in their seed alone")
    bound = _same_from(context)
    # A single step may not tell two seeds apart: where it does, that counts.
    told = [pair for pair in pairs if _steps(pair[0]) > 1 or likeness(*pair) < bound]
    if not told:
        context.not_applicable("after a single step the pictures of two seeds may be alike, and here they are")
    for one, other in told:
        context.expect(
            likeness(one, other) < bound,
            expected=f"another picture than {one.exchange.label}: seed {_seed(other)} instead of {_seed(one)}",
            got=f"the same picture ({unlikeness(one, other)})",
            exchange=other.exchange,
            cause=_lost_bits(_seed(one) or 0, _seed(other) or 0),
        )


def _lost_bits(one: int, other: int) -> str:
    """What a server may do to seeds that takes these two for the same."""
    differ = one ^ other
    if differ == 1:
        return "the seed is ignored, or its lowest bit is: held in a float of 32 bits?"
    lowest = (differ & -differ).bit_length() - 1
    return (
        f"the seed is ignored, or no more than {lowest} bits of it are read?" if lowest >= 8 else "the seed is ignored?"
    )


def _others(id: str, field: str, what: str) -> None:
    """A requirement that another value of a field gives another picture."""

    over = ["base", "fields/", "edges/", "chain/"] if OTHERS[field] == "fields" else GENERATIONS

    @check(id, needs=["base", OTHERS[field]], over=over, requires=["GEN-PIC-14"])
    def other_value_other_picture(context: Context) -> None:
        pairs = [(one, other) for one, other in _pairs(context, field) if _seed(one) == _seed(other)]
        if not pairs:
            raise MissingEvidence(f"no two generations differ in their {what} alone")
        bound = _same_from(context)
        if field in MORE_STEPS and all(_steps(run) == 1 and likeness(*pair) >= bound for pair in pairs for run in pair):
            context.not_applicable(f"after a single step another {what} may not show, and here it does not")
        for one, other in pairs:
            context.expect(
                likeness(one, other) < bound,
                expected=f"another picture than {one.exchange.label}, which has another {what}",
                got=f"the same picture ({unlikeness(one, other)})",
                exchange=other.exchange,
                cause=IGNORED.get(field, f"{field} is ignored?"),
            )


OTHERS = {
    "prompt": "overlap",
    "negative_prompt": "negative",
    "cfg": "fields",
    "scheduler": "fields",
    "steps": "fields",
    "image": "chain",
    "mask": "chain",
}
"""The scenario that has a generation which differs from another one in a field alone."""
MORE_STEPS = ("cfg", "scheduler")
"""Fields whose effect a single step may not show."""
IGNORED = {
    "prompt": "the prompt is ignored, or no more than its beginning is read, or its words without their order?",
    "cfg": "cfg is ignored, or rounded to an integer?",
    "image": "a picture is remembered for a request without regard to its image?",
    "mask": "a picture is remembered for a request without regard to its mask?",
}
_others("GEN-PIC-10", "prompt", "prompt")
_others("GEN-PIC-17", "negative_prompt", "negative prompt")
_others("GEN-PIC-20", "cfg", "cfg")
_others("GEN-PIC-21", "scheduler", "scheduler")
_others("GEN-PIC-22", "steps", "number of steps")
_others("GEN-PIC-24", "image", "image")
_others("GEN-PIC-25", "mask", "mask")


def _repetitions(context: Context) -> Iterator[tuple[GenerationStream, GenerationStream]]:
    """Pairs of generations with the same request and a seed in it; what is shown on the way does not matter, but where
    that alone is in question (GEN-PIC-23)."""
    asked_again = [stream for stream, _ in pictured(context) if stream.exchange.label != LEFT_OUT]
    for one, other in combinations(asked_again, 2):
        sent = [fields(stream.exchange.request) for stream in (one, other)]
        asked = [{name: value for name, value in body.items() if name not in PREVIEWS_ONLY} for body in sent]
        if asked[0] == asked[1] and asked[0].get("seed") is not None:
            yield one, other


def _same_again(context: Context) -> Iterator[tuple[GenerationStream, GenerationStream]]:
    """Repetitions, and the runs that mean the same where null is as good as nothing, as far as they are alike."""
    yield from _repetitions(context)
    runs = {stream.exchange.label: stream for stream, _ in pictured(context)}
    if {"base", "nulls"} <= runs.keys() and alike(runs["base"], runs["nulls"]):
        yield runs["base"], runs["nulls"]


def _pairs(context: Context, field: str) -> Iterator[tuple[GenerationStream, GenerationStream]]:
    """Pairs of generations whose requests say the same of their picture but for one field, seeds aside.

    None at strength 0, where no other field has a say: `image` comes back. Nor where it comes back otherwise, which is
    another fault (GEN-PIC-13, GEN-PIC-16).
    """
    runs = [(stream, _asked(stream)) for stream, _ in pictured(context)]
    for (one, first), (other, second) in combinations(runs, 2):
        if first.get("image") and number(first.get("denoise_strength")) == 0:
            continue
        rest = [{name: value for name, value in asked.items() if name != field} for asked in (first, second)]
        alone = rest[0] == rest[1] and (first.get(field) != second.get(field) or field == "seed")
        if alone and not (is_its_image(one) and is_its_image(other)):
            yield one, other


def _asked(stream: GenerationStream) -> dict[str, Any]:
    """What a request says of its picture but its seed; of image and mask what they show, whatever files they are."""
    asked = pictured_fields(stream.exchange.request, without=("seed",))
    for name in ("image", "mask"):
        if asked.get(name):
            pixels = pixels_of(file_sent(asked[name]))
            asked[name] = (pixels.shape, pixels.tobytes())
    return asked


def _same_from(context: Context) -> float:
    """PSNR in dB from which two pictures of requests that differ are the same one: less where a server does not give
    the same bytes for the same request."""
    runs = {stream.exchange.label: stream for stream, _ in pictured(context)}
    repeated = [likeness(*pair) for pair in _same_again(context)]
    if {"defaults/absent", "defaults/explicit"} <= runs.keys():
        repeated.append(likeness(runs["defaults/absent"], runs["defaults/explicit"]))
    settled = [found for found in repeated if found >= SAME]
    return max(SAME, min(UNTOUCHED, min(settled, default=UNTOUCHED) - UNSETTLED))


def _steps(stream: GenerationStream) -> int:
    """The steps that a generation makes, or is told to: its strength may leave some of them out."""
    sent = fields(stream.exchange.request)
    steps = integer(sent.get("steps", 20)) or 0
    strength = number(sent.get("denoise_strength", 0.6)) if sent.get("image") else None
    return steps if strength is None else max(1, min(steps, int(steps * strength)))


def _seed(stream: GenerationStream) -> int | None:
    return integer(stream.complete.payload.get("seed")) if stream.complete else None
