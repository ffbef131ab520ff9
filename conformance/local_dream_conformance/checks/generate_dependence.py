"""Checks of the group generate-pictures: what pictures depend on.

The bounds leave room for real diffusion models at small sizes and few steps, whose decoder changes every pixel a
little; they are far from what a server does that ignores a field.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.strict_json import integer, number
from local_dream_conformance.evidence.generation import GenerationStream
from local_dream_conformance.evidence.image_compare import alike, as_changed, from_image, from_parts, unlikeness
from local_dream_conformance.evidence.selectors import GENERATIONS, fields, picture, pictured, pictured_fields, size

CLOSER = 0.85
"""A low strength must leave a picture at most this share of the distance from its image that a high one does."""
APART = 0.2
"""Difference of two strengths from which their effects can be told apart."""
KEPT = (12.0, 0.3)
"""Distance, of 255, or share of the distance of the repainted part, within which a part of a picture was kept."""
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
            cause="the seed does not settle the picture",
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
        cause="the seed does not settle the picture"
        + ("" if len(runs) > 2 else ", or a field that was left out has another default than the written one"),
    )


@check("GEN-PIC-08", needs=["base", "repeat"], over=GENERATIONS, requires=["GEN-PIC-07"])
def same_seed_same_bytes(context: Context) -> None:
    pairs = list(_repetitions(context))
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
    pairs = [(one, other) for one, other in _pairs(context, without="seed") if _seed(one) != _seed(other)]
    if not pairs:
        raise MissingEvidence("no two generations differ in their seed alone")
    # A single step may not tell two seeds apart: where it does, that counts.
    told = [pair for pair in pairs if _steps(pair[0]) > 1 or not alike(*pair)]
    if not told:
        context.not_applicable("after a single step the pictures of two seeds may be alike, and here they are")
    for one, other in told:
        context.expect(
            not alike(one, other),
            expected=f"another picture than {one.exchange.label}: seed {_seed(other)} instead of {_seed(one)}",
            got=f"the same picture ({unlikeness(one, other)})",
            exchange=other.exchange,
            cause="the seed is ignored?",
        )


@check("GEN-PIC-10", needs=["base", "overlap"], over=GENERATIONS, requires=["GEN-PIC-14"])
def other_prompt_other_picture(context: Context) -> None:
    pairs = [
        (one, other)
        for one, other in _pairs(context, without="prompt")
        if _seed(one) == _seed(other)
        and fields(one.exchange.request).get("prompt") != fields(other.exchange.request).get("prompt")
    ]
    if not pairs:
        raise MissingEvidence("no two generations differ in their prompt alone")
    for one, other in pairs:
        context.expect(
            not alike(one, other),
            expected=f"another picture than {one.exchange.label}, which has another prompt",
            got=f"the same picture ({unlikeness(one, other)})",
            exchange=other.exchange,
            cause="the prompt is ignored",
        )


@check("GEN-PIC-11", needs=["strength"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def low_strength_stays_closer(context: Context) -> None:
    runs = [
        (strength, stream, shown)
        for stream, shown in pictured(context)
        if (strength := _strength(stream)) is not None and not fields(stream.exchange.request).get("mask")
    ]
    if not runs:
        raise MissingEvidence("no generation with an image came to a picture")
    low, high = min(runs, key=lambda run: run[0]), max(runs, key=lambda run: run[0])
    if high[0] - low[0] < APART:
        raise MissingEvidence("no two generations with an image differ in denoise_strength")
    near, far = (from_image(stream, shown) for _, stream, shown in (low, high))
    context.expect(
        near < CLOSER * far,
        expected=f"with strength {low[0]:g} a picture much closer to its image than {high[1].exchange.label}, "
        f"which with strength {high[0]:g} is {far:.1f} of 255 away",
        got=f"{near:.1f} of 255 away",
        exchange=low[1].exchange,
        cause=as_changed(low[1], low[2])
        or (
            "the strength is inverted? 0 must keep the image, 1 must ignore it"
            if near > far / CLOSER
            else "the strength is ignored"
        ),
    )


@check("GEN-PIC-12", needs=["hang-up"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def black_is_kept(context: Context) -> None:
    for stream, kept, repainted, how in _inpaintings(context):
        context.expect(
            kept <= max(KEPT[0], KEPT[1] * repainted),
            expected="the black part of the mask as it is in image",
            got=f"{kept:.1f} of 255 away from it; the white part {repainted:.1f}",
            exchange=stream.exchange,
            cause=how,
        )


@check("GEN-PIC-13", needs=["hang-up"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def white_is_repainted(context: Context) -> None:
    for stream, kept, repainted, how in _inpaintings(context):
        context.expect(
            repainted > min(max(REPAINTED[0], REPAINTED[1] * kept), REPAINTED[2]),
            expected="something new in the white part of the mask",
            got=f"{repainted:.1f} of 255 away from image there; the black part {kept:.1f}",
            exchange=stream.exchange,
            cause=how,
        )


def _repetitions(context: Context) -> Iterator[tuple[GenerationStream, GenerationStream]]:
    """Pairs of generations with the same request and a seed in it; what is shown on the way does not matter."""
    for one, other in combinations([stream for stream, _ in pictured(context)], 2):
        sent = [fields(stream.exchange.request) for stream in (one, other)]
        asked = [{k: v for k, v in body.items() if not k.startswith("show_diffusion_")} for body in sent]
        if asked[0] == asked[1] and asked[0].get("seed") is not None:
            yield one, other


def _pairs(context: Context, *, without: str) -> Iterator[tuple[GenerationStream, GenerationStream]]:
    """Pairs of generations whose requests say the same of their picture, but for one field."""
    for one, other in combinations([stream for stream, _ in pictured(context)], 2):
        asked = [pictured_fields(stream.exchange.request, without=(without, "seed")) for stream in (one, other)]
        if asked[0] == asked[1]:
            yield one, other


def _steps(stream: GenerationStream) -> int:
    return integer(fields(stream.exchange.request).get("steps", 20)) or 0


def _seed(stream: GenerationStream) -> int | None:
    return integer(stream.complete.payload.get("seed")) if stream.complete else None


def _strength(stream: GenerationStream) -> float | None:
    """The strength of a generation with an image."""
    sent = fields(stream.exchange.request)
    return number(sent.get("denoise_strength", 0.6)) if sent.get("image") else None


def _inpaintings(context: Context) -> Iterator[tuple[GenerationStream, float, float, str]]:
    """Generations with a mask: how far the black and the white part are from the image, and what that looks like."""
    found = False
    for stream, shown in pictured(context):
        sent = fields(stream.exchange.request)
        if not (sent.get("image") and sent.get("mask")):
            continue
        black, white = from_parts(stream, shown)
        how = "the whole picture is new: is the mask ignored?"
        if black > white:
            how = "the mask is inverted? White must be repainted, black kept"
        elif white <= REPAINTED[0]:
            how = "the image came back as it was"
        how = as_changed(stream, shown) or how
        found = True
        yield stream, black, white, how
    if not found and not context.settings.img2img:
        context.not_applicable("--no-img2img: the target takes no images")
    if not found:
        raise MissingEvidence("no generation with a mask came to a picture")
