"""Checks of the group generate-pictures: what is left of an image, by strength and mask.

The bounds leave room for real diffusion models at small sizes and few steps, whose decoder changes every pixel a
little; they are far from what a server does that ignores a field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.strict_json import integer, number
from local_dream_conformance.evidence.generation import GenerationStream
from local_dream_conformance.evidence.image_compare import (
    AS_IT_IS,
    Parts,
    as_changed,
    brightness_of_ends,
    displaced,
    from_image,
    from_parts,
    from_whole_image,
    judges_strength,
    keeps_all,
    likeness_to_image,
)
from local_dream_conformance.evidence.images import Picture
from local_dream_conformance.evidence.selectors import GENERATIONS, fields, pictured

CLOSER = 0.85
"""A low strength must leave a picture at most this share of the distance from its image that a high one does."""
FAR = 30.0
"""Distance, of 255, from which on what was painted at a high strength is far from its image."""
APART = 0.2
"""Difference of two strengths from which their effects can be told apart."""
LOW = 0.5
"""Strength up to which much of the image must be left; at higher ones what is painted decides how far away it is."""
GIVEN_BACK = 12.0
"""Distance, of 255, within which a picture is its image, through a model's encoder and decoder."""
FINE_STEPS = 10
"""Steps from which on servers can tell strength 0 from others: some take one of them whatever the strength."""
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
    if not higher or low[0] > LOW:
        raise MissingEvidence("no two generations with an image differ in denoise_strength")
    near = from_image(low[1], low[2])
    # Where no mask was followed, one whose white part is as it was says something of the mask alone.
    telling = [run for run in higher if _kept(*run[1:])] or [run for run in higher if from_image(*run[1:]) > GIVEN_BACK]
    if not telling:
        raise MissingEvidence("no mask of the generations with a high denoise_strength was followed")
    for strength, stream, shown in telling:
        far = from_image(stream, shown)
        if not context.expect(
            near < CLOSER * far,
            expected=f"with strength {low[0]:g} a picture much closer to its image than {stream.exchange.label}, "
            f"which with strength {strength:g} is {far:.1f} of 255 away",
            got=f"{near:.1f} of 255 away",
            exchange=low[1].exchange,
            cause=partial(_strength_cause, low[1], low[2], near, far),
        ):
            break  # the others would say the same of the same picture

    _judge_masked(context, [run for run in runs if fields(run[1].exchange.request).get("mask") and _kept(*run[1:])])


def _judge_masked(context: Context, runs: list[tuple[float, GenerationStream, Picture]]) -> None:
    """Expects the same of the white parts of two masks: the lowest strength of all, and one twice as high or more."""
    low, high = (choose(runs, key=lambda run: run[0], default=None) for choose in (min, max))
    if low is None or high is None or low[0] > high[0] / 2:  # the paintings differ too
        return
    near, far = from_image(*low[1:]), from_image(*high[1:])
    if far < FAR:  # what was painted happens to be like the image
        return
    context.expect(
        near < CLOSER * far,
        expected=f"in the white part of the mask, with strength {low[0]:g}, something much closer to the image than in "
        f"{high[1].exchange.label}, which with strength {high[0]:g} is {far:.1f} of 255 away",
        got=f"{near:.1f} of 255 away",
        exchange=low[1].exchange,
        cause="the strength is ignored where there is a mask?",
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
        out_of_place = displaced(stream, shown)
        if not context.expect(
            not out_of_place,
            expected="both halves of the image where they are",
            got=out_of_place,
            exchange=stream.exchange,
            cause="the picture is made in tiles that are put together wrongly?",
        ):
            continue
        away = from_image(stream, shown)
        if not context.expect(
            away <= GIVEN_BACK,
            expected="with strength 0 the image",
            got=f"{away:.1f} of 255 away from it",
            exchange=stream.exchange,
            cause=partial(_zero_cause, stream, shown, away),
        ):
            continue  # black and white of another picture say nothing
        if (ends := brightness_of_ends(stream, shown)) is None:
            continue
        dark, bright = ends
        context.expect(
            min(dark, 255 - bright) <= GIVEN_BACK,
            expected="what is black and what is white in the image as it is",
            got=f"{dark:.0f} of 255 in place of black, and {bright:.0f} in place of white",
            exchange=stream.exchange,
            cause="levels of 16 to 235, as television has them?",
        )


def _zero_cause(stream: GenerationStream, shown: Picture, away: float) -> str:
    """What a picture of strength 0 looks like that is so far from its image."""
    default = "0 is taken for no strength, and the default used instead?"
    return as_changed(stream, shown) or (default if away > 2 * GIVEN_BACK else "")


@check("GEN-PIC-16", needs=["edges"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def some_strength_changes_something(context: Context) -> None:
    runs = [
        (stream, shown)
        for stream, shown in pictured(context)
        if (_strength(stream) or 0) >= APART and not keeps_all(stream, shown)
    ]
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
    for stream, shown in pictured(context):
        if _strength(stream) is not None and keeps_all(stream, shown):
            away = from_whole_image(stream, shown)
            context.expect(
                away <= KEPT[0],
                expected="the image as it is, since its mask is white nowhere",
                got=f"{away:.1f} of 255 away from it",
                exchange=stream.exchange,
                cause=partial(_unwhite_cause, stream, shown),
            )
    for stream, parts, how in _inpaintings(context):
        context.expect(
            parts.worst <= max(KEPT[0], KEPT[1] * parts.repainted),
            expected="the black part of the mask as it is in image",
            got=f"{parts.kept:.1f} of 255 away from it, in some place {parts.worst:.1f}; "
            f"the white part {parts.repainted:.1f}",
            exchange=stream.exchange,
            cause=how,
        )


def _unwhite_cause(stream: GenerationStream, shown: Picture) -> str:
    return as_changed(stream, shown) or "a mask that is white nowhere is taken for none?"


@check("GEN-PIC-13", needs=["hang-up"], over=GENERATIONS, requires=["GEN-PIC-05", "GEN-PIC-14"])
def white_is_repainted(context: Context) -> None:
    strong = [one for one in _inpaintings(context) if (_strength(one[0]) or 0) >= STRONG]
    if not strong:
        raise MissingEvidence(f"no generation with a mask had a strength of {STRONG:g} or more")
    for stream, parts, how in strong:
        if not context.expect(
            parts.repainted > min(max(REPAINTED[0], REPAINTED[1] * parts.kept), REPAINTED[2]),
            expected="something new in the white part of the mask",
            got=f"{parts.repainted:.1f} of 255 away from image there; the black part {parts.kept:.1f}",
            exchange=stream.exchange,
            cause=how,
        ):
            continue  # where nothing is new, no part of it is either
        context.expect(
            parts.untouched <= LEFT_OUT,
            expected="something new everywhere in the white part of the mask",
            got=f"image as it is in {parts.untouched:.0%} of it",
            exchange=stream.exchange,
            cause="the mask seems to be moved, turned or scaled?",
        )


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
        if not (sent.get("image") and sent.get("mask")) or keeps_all(stream, shown):
            continue
        parts = from_parts(stream, shown)
        found = True
        yield stream, parts, partial(_mask_cause, stream, shown, parts)
    if not found and not context.settings.img2img:
        context.not_applicable("--no-img2img: the target takes no images")
    if not found:
        raise MissingEvidence("no generation with a mask that is white somewhere came to a picture")
