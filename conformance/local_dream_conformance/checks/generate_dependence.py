"""Checks of the group generate-pictures: what pictures depend on.

The bounds leave room for real diffusion models at small sizes and few steps, whose decoder changes every pixel a
little; they are far from what a server does that ignores a field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations

import numpy as np

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.strict_json import integer, number
from local_dream_conformance.evidence.generation import GenerationStream
from local_dream_conformance.evidence.image_compare import (
    SAME,
    Parts,
    alike,
    as_changed,
    from_image,
    from_parts,
    judges_strength,
    likeness,
    likeness_to_image,
    unlikeness,
)
from local_dream_conformance.evidence.images import Picture
from local_dream_conformance.evidence.selectors import (
    GENERATIONS,
    PREVIEWS_ONLY,
    fields,
    picture,
    pictured,
    pictured_fields,
    size,
)

CLOSER = 0.85
"""A low strength must leave a picture at most this share of the distance from its image that a high one does."""
APART = 0.2
"""Difference of two strengths from which their effects can be told apart."""
UNTOUCHED = 55.0
"""PSNR in dB from which two pictures of requests that differ are the same one: what a field does to a picture can be
little, but it is more than a last bit here and there."""
UNSETTLED = 3.0
"""dB by which two pictures of requests that differ may be less alike than two of the same request, and still count as
the same one."""
GIVEN_BACK = 12.0
"""Distance, of 255, within which a picture is its image, through a model's encoder and decoder."""
FINE_STEPS = 10
"""Steps from which on servers can tell strength 0 from others: some take one of them whatever the strength."""
AS_IT_IS = 45.0
"""PSNR in dB from which a picture is its image without any way through a model."""
KEPT = (12.0, 0.2)
"""Distance, of 255, or share of the distance of the repainted part, within which a part of a picture was kept."""
LEFT_OUT = 0.05
"""Share of the white part of a mask that may be the image as it is."""
INVERTED = 2.0
"""Multiple of the distance of the white part from which on the black one is taken for the one that was repainted."""
STRONG = 0.5
"""Strength from which on what was repainted is told from what a decoder does."""
REPAINTED = (4.0, 1.5, 20.0)
"""A part was repainted from so far away on, of 255, or from this multiple of the distance of the kept part, where that
is small enough to be the decoder's; at the third distance it was in any case."""


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

    @check(id, needs=["base", OTHERS[field]], over=GENERATIONS, requires=["GEN-PIC-14"])
    def other_value_other_picture(context: Context) -> None:
        pairs = [(one, other) for one, other in _pairs(context, field) if _seed(one) == _seed(other)]
        if not pairs:
            raise MissingEvidence(f"no two generations differ in their {what} alone")
        bound = _same_from(context)
        for one, other in pairs:
            context.expect(
                likeness(one, other) < bound,
                expected=f"another picture than {one.exchange.label}, which has another {what}",
                got=f"the same picture ({unlikeness(one, other)})",
                exchange=other.exchange,
                cause=IGNORED.get(field, f"{field} is ignored?"),
            )


OTHERS = {"prompt": "overlap", "negative_prompt": "negative"}
"""The scenario that has a generation which differs from another one in a field alone."""
IGNORED = {"prompt": "the prompt is ignored, or no more than its beginning is read, or its words without their order?"}
_others("GEN-PIC-10", "prompt", "prompt")
_others("GEN-PIC-17", "negative_prompt", "negative prompt")


@check("GEN-PIC-11", needs=["strength"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def low_strength_stays_closer(context: Context) -> None:
    runs = [
        (strength, stream, shown)
        for stream, shown in pictured(context)
        if (strength := _strength(stream)) is not None and judges_strength(stream, shown)
    ]
    if not runs:
        raise MissingEvidence("no generation with an image came to a picture")
    # The whole picture says more of a low strength than the white part of a mask.
    low = min(runs, key=lambda run: (bool(fields(run[1].exchange.request).get("mask")), run[0]))
    higher = [run for run in runs if run[0] - low[0] >= APART]
    if not higher:
        raise MissingEvidence("no two generations with an image differ in denoise_strength")
    near = from_image(low[1], low[2])
    for strength, stream, shown in [run for run in higher if _kept(run[1], run[2])] or higher:
        far = from_image(stream, shown)
        context.expect(
            near < CLOSER * far,
            expected=f"with strength {low[0]:g} a picture much closer to its image than {stream.exchange.label}, "
            f"which with strength {strength:g} is {far:.1f} of 255 away",
            got=f"{near:.1f} of 255 away",
            exchange=low[1].exchange,
            cause=partial(_strength_cause, low[1], low[2], near, far),
        )


def _strength_cause(stream: GenerationStream, shown: Picture, near: float, far: float) -> str:
    """What the picture of a low strength, and its distance beside that of a high one, look like."""
    inverted = "the strength is inverted? 0 must keep the image, 1 must ignore it"
    return as_changed(stream, shown) or (inverted if near > far / CLOSER else "the strength is ignored?")


@check("GEN-PIC-15", needs=["strength"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def strength_zero_gives_the_image_back(context: Context) -> None:
    runs = [
        (stream, shown)
        for stream, shown in pictured(context)
        if _strength(stream) == 0 and (integer(fields(stream.exchange.request).get("steps", 20)) or 0) >= FINE_STEPS
    ]
    if not runs and not context.settings.img2img:
        context.not_applicable("--no-img2img: the target takes no images")
    if not runs:
        raise MissingEvidence(f"no generation with strength 0 and {FINE_STEPS} steps or more came to a picture")
    for stream, shown in runs:
        away = from_image(stream, shown)
        context.expect(
            away <= GIVEN_BACK,
            expected="with strength 0 the image",
            got=f"{away:.1f} of 255 away from it",
            exchange=stream.exchange,
            cause="0 is taken for no strength, and the default used instead?" if away > 2 * GIVEN_BACK else "",
        )


@check("GEN-PIC-16", needs=["edges"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def some_strength_changes_something(context: Context) -> None:
    runs = [(stream, shown) for stream, shown in pictured(context) if (_strength(stream) or 0) >= APART]
    if not runs and not context.settings.img2img:
        context.not_applicable("--no-img2img: the target takes no images")
    if not runs:
        raise MissingEvidence(f"no generation with a strength of {APART:g} or more came to a picture")
    for stream, shown in runs:
        likeness = likeness_to_image(stream, shown)
        context.expect(
            likeness < AS_IT_IS,
            expected=f"with strength {_strength(stream):g} another picture than its image",
            got=f"the image as it is (PSNR {likeness:.1f} dB)",
            exchange=stream.exchange,
            cause="the strength is rounded to 0?" if (_strength(stream) or 0) < 0.5 else "",
        )


@check("GEN-PIC-12", needs=["hang-up"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def black_is_kept(context: Context) -> None:
    for stream, parts, how in _inpaintings(context):
        context.expect(
            parts.worst <= max(KEPT[0], KEPT[1] * parts.repainted),
            expected="the black part of the mask as it is in image",
            got=f"{parts.kept:.1f} of 255 away from it, in some place {parts.worst:.1f}; "
            f"the white part {parts.repainted:.1f}",
            exchange=stream.exchange,
            cause=how,
        )


@check("GEN-PIC-13", needs=["hang-up"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def white_is_repainted(context: Context) -> None:
    strong = [one for one in _inpaintings(context) if (_strength(one[0]) or 0) >= STRONG]
    if not strong:
        raise MissingEvidence(f"no generation with a mask had a strength of {STRONG:g} or more")
    for stream, parts, how in strong:
        context.expect(
            parts.repainted > min(max(REPAINTED[0], REPAINTED[1] * parts.kept), REPAINTED[2]),
            expected="something new in the white part of the mask",
            got=f"{parts.repainted:.1f} of 255 away from image there; the black part {parts.kept:.1f}",
            exchange=stream.exchange,
            cause=how,
        )
        context.expect(
            parts.untouched <= LEFT_OUT,
            expected="something new everywhere in the white part of the mask",
            got=f"image as it is in {parts.untouched:.0%} of it",
            exchange=stream.exchange,
            cause="the mask seems to be moved, turned or scaled?",
        )


def _repetitions(context: Context) -> Iterator[tuple[GenerationStream, GenerationStream]]:
    """Pairs of generations with the same request and a seed in it; what is shown on the way does not matter."""
    for one, other in combinations([stream for stream, _ in pictured(context)], 2):
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
    """Pairs of generations whose requests say the same of their picture but for one field, seeds aside."""
    for one, other in combinations([stream for stream, _ in pictured(context)], 2):
        asked = [pictured_fields(stream.exchange.request, without=("seed",)) for stream in (one, other)]
        said = [request.pop(field, None) for request in asked]
        if asked[0] == asked[1] and (said[0] != said[1] or field == "seed"):
            yield one, other


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
    return integer(fields(stream.exchange.request).get("steps", 20)) or 0


def _seed(stream: GenerationStream) -> int | None:
    return integer(stream.complete.payload.get("seed")) if stream.complete else None


def _kept(stream: GenerationStream, shown: Picture) -> bool:
    """Whether a mask, if there is one, was followed where it is black: if not, what is white says nothing."""
    if not fields(stream.exchange.request).get("mask"):
        return True
    parts = from_parts(stream, shown)
    return parts.worst <= max(KEPT[0], KEPT[1] * parts.repainted)


def _strength(stream: GenerationStream) -> float | None:
    """The strength of a generation with an image."""
    sent = fields(stream.exchange.request)
    return number(sent.get("denoise_strength", 0.6)) if sent.get("image") else None


def _mask_cause(stream: GenerationStream, shown: Picture, parts: Parts) -> str:
    """What an inpainting that is not as the mask says looks like."""
    if changed := as_changed(stream, shown):
        return changed
    if parts.kept > INVERTED * parts.repainted:
        return "the mask is inverted? White must be repainted, black kept"
    if parts.repainted <= REPAINTED[0]:
        return "the image came back as it was?"
    if parts.kept < parts.worst / 2:
        return "the mask seems to be moved, turned, scaled, or filled up to a box?"
    if parts.kept < parts.repainted / 2:
        return "the mask seems to let something through where it is black?"
    return "the whole picture is new: is the mask ignored?"


def _inpaintings(context: Context) -> Iterator[tuple[GenerationStream, Parts, Callable[[], str]]]:
    """Generations with a mask: how far their parts are from the image, and what tells what that looks like."""
    found = False
    for stream, shown in pictured(context):
        sent = fields(stream.exchange.request)
        if not (sent.get("image") and sent.get("mask")):
            continue
        parts = from_parts(stream, shown)
        found = True
        yield stream, parts, partial(_mask_cause, stream, shown, parts)
    if not found and not context.settings.img2img:
        context.not_applicable("--no-img2img: the target takes no images")
    if not found:
        raise MissingEvidence("no generation with a mask came to a picture")
