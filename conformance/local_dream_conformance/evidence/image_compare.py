"""How alike two pictures are: those of two generations, or one and the image in its request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import inf

import numpy as np

from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.evidence.generation import GenerationStream
from local_dream_conformance.evidence.images import Picture, file_sent, pixels_of
from local_dream_conformance.evidence.pixels import (
    Pixels,
    Region,
    away_from_seam,
    distance,
    fits,
    psnr,
    shift,
    shrink,
    tiles,
)
from local_dream_conformance.evidence.selectors import fields, picture

SAME = 35.0
"""PSNR in dB from which two pictures are the same one (GEN-PIC-07)."""
BLOCK = 8
"""Pixels to a side of the blocks in which a picture is compared with its image: texture is the decoder's own."""
SEAM = 16
"""Pixels on either side of a mask's edge that are not judged: models blend there, in cells of 8 pixels."""
HALF = 128
"""Brightness from which a mask is white."""
AS_IT_IS = 45.0
"""PSNR in dB from which a picture is its image without any way through a model."""
UNTOUCHED = 0.5
"""Distance, of 255, up to which a tile is that of the image, without any way through a model."""
END = 2
"""Brightness, of 255, up to which a block is black; and as near to white it is white."""
DISPLACED, LEAST_HALF = 8, 64
"""Pixels by which one half of a picture stands elsewhere than the other; and of a half that is looked at, a side."""
TILE = 16
"""Pixels to a side of the tiles of which none may have changed where a mask is black."""


def alike(one: GenerationStream, other: GenerationStream) -> bool:
    """Whether two generations gave the same picture."""
    return likeness(one, other) >= SAME


def likeness(one: GenerationStream, other: GenerationStream) -> float:
    """PSNR in dB of the pictures of two generations; -inf where there are none, or not of one size."""
    first, second = picture(one), picture(other)
    if first is None or second is None or first.size != second.size:
        return -inf
    return psnr(first.pixels, second.pixels)


def unlikeness(one: GenerationStream, other: GenerationStream) -> str:
    """How far apart the pictures of two generations are, in words."""
    first, second = picture(one), picture(other)
    if first is None or second is None:
        return "no picture to compare"
    if first.size != second.size:
        return f"{by(second.size)} pixels instead of {by(first.size)}"
    return f"PSNR {psnr(first.pixels, second.pixels):.1f} dB; {SAME:g} dB is the same"


def from_image(stream: GenerationStream, shown: Picture) -> float:
    """How far a picture is from the image in its request, 0..255, in whichever way the server fitted that.

    With a mask in its white part alone, away from the seam (see `judges_strength`).
    """
    found = [(coarse(image), _all_white(white)) for image, white in _fitted(stream, shown)]
    return min(distance(coarse(shown.pixels), image, blocks) for image, blocks in found if blocks.any())


def brightness_of_ends(stream: GenerationStream, shown: Picture) -> tuple[float, float] | None:
    """What a picture shows where the image in its request is black and where it is white, 0..255, by channels and
    blocks, in the way of fitting that is nearest; None where it has nothing of both."""
    blocks = coarse(shown.pixels)
    image = min((coarse(image) for image, _ in _fitted(stream, shown)), key=lambda image: distance(blocks, image))
    dark, bright = image <= END, image >= 255 - END
    return (float(blocks[dark].mean()), float(blocks[bright].mean())) if dark.any() and bright.any() else None


def displaced(stream: GenerationStream, shown: Picture) -> str:
    """Which half of a picture stands elsewhere than the image in its request has it, against the other half; "" where
    none does. A half counts as displaced where it is much nearer to the image once it is moved back."""
    image = min(_ways_of_image(stream, shown.size), key=lambda way: distance(coarse(shown.pixels), coarse(way)))
    width, height = shown.size
    for name, axis, middle in (("right", 1, width // 2), ("lower", 0, height // 2)):
        (near, far), (shown_near, shown_far) = (
            np.split(pixels, [middle], axis=axis) for pixels in (image, shown.pixels)
        )
        if min(far.shape[:2]) < LEAST_HALF:
            continue
        here, there = (shift(coarse(a), coarse(b)) for a, b in ((near, shown_near), (far, shown_far)))
        right, down = (round(BLOCK * (second - first)) for first, second in zip(here, there, strict=True))
        if max(abs(right), abs(down)) < DISPLACED:
            continue
        moved, asked = _overlapping(shown_far, far, right, down)
        if moved.size and distance(moved, asked) <= CLEARLY * distance(shown_far, far):
            sideways, upright = "left" if right < 0 else "right", "higher" if down < 0 else "lower"
            return f"the {name} half stands about {abs(right)} pixels to the {sideways} and {abs(down)} {upright}"
    return ""


def _overlapping(shown: Pixels, image: Pixels, right: int, down: int) -> tuple[Pixels, Pixels]:
    """What two pictures of one size have in common where one is moved by so many pixels against the other."""
    height, width = shown.shape[:2]
    rows, columns = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
    back_rows = slice(max(0, -down), height + min(0, -down))
    back_columns = slice(max(0, -right), width + min(0, -right))
    return shown[rows, columns], image[back_rows, back_columns]


def judges_strength(stream: GenerationStream, shown: Picture) -> bool:
    """Whether `from_image` has something to look at: a mask may leave no block that is all white."""
    return any(_all_white(white).any() for _, white in _fitted(stream, shown))


def _all_white(white: Region) -> Region:
    """The blocks of a picture that lie in the white part of a mask, away from its seam."""
    _, repainted = away_from_seam(white, SEAM)
    height, width = (edge // BLOCK * BLOCK for edge in white.shape)
    blocks = repainted[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    found: Region = np.all(blocks, axis=(1, 3))
    return found


def _fitted(stream: GenerationStream, shown: Picture) -> Iterator[tuple[Pixels, Region]]:
    """The image of a request, and where its mask is white (without one: everywhere), in all ways of fitting them."""
    mask = fields(stream.exchange.request).get("mask")
    masks = _ways(mask, shown.size) if mask else ()
    everywhere = np.ones(shown.pixels.shape[:2], np.bool_)
    regions = [fitted[:, :, 0] >= HALF for fitted in masks] or [everywhere]
    yield from product(_ways_of_image(stream, shown.size), regions)


def likeness_to_image(stream: GenerationStream, shown: Picture) -> float:
    """PSNR in dB of a picture with the image in its request, in whichever way the server fitted that."""
    return max(psnr(shown.pixels, way) for way in _ways_of_image(stream, shown.size))


def is_its_image(stream: GenerationStream) -> bool:
    """Whether a generation gave the image in its request as it is, without any way through a model."""
    shown = picture(stream)
    sent = fields(stream.exchange.request).get("image")
    return bool(sent) and shown is not None and likeness_to_image(stream, shown) >= AS_IT_IS


def keeps_all(stream: GenerationStream, shown: Picture) -> bool:
    """Whether the request has a mask that is white nowhere."""
    return bool(fields(stream.exchange.request).get("mask")) and not any(
        white.any() for _, white in _fitted(stream, shown)
    )


def from_whole_image(stream: GenerationStream, shown: Picture) -> float:
    """How far a picture is from the image in its request, 0..255, wherever its mask is white."""
    return min(distance(coarse(shown.pixels), coarse(way)) for way in _ways_of_image(stream, shown.size))


def resemblance(one: Pixels, other: Pixels) -> float:
    """How two pictures of one size rise and fall together, channel by channel and in blocks, whatever their brightness
    and contrast: 1 is alike, 0 unlike, -1 the negative; 0 where a picture is flat."""
    blocks = [coarse(pixels).reshape(-1, 3).astype(np.float64) for pixels in (one, other)]
    first, second = (values - values.mean(axis=0) for values in blocks)
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size else 0.0


def coarse(pixels: Pixels) -> Pixels:
    """The means of blocks; what does not fill a block is left out."""
    height, width = (edge // BLOCK * BLOCK for edge in pixels.shape[:2])
    return shrink(pixels[:height, :width], BLOCK) if height and width else pixels


def _ways_of_image(stream: GenerationStream, size: tuple[int, int]) -> Sequence[Pixels]:
    return _ways(fields(stream.exchange.request)["image"], size)


@lru_cache(maxsize=32)
def _ways(sent: str, size: tuple[int, int]) -> Sequence[Pixels]:
    """A picture of a request in all ways of fitting it that differ, stretched first. Several checks look at it, for
    each generation that it was sent with."""
    return tuple({id(way): way for way in fits(pixels_of(file_sent(sent)), size).values()}.values())


CLEARLY = 0.5
"""A picture resembles a change of its image where it is at most this share of the distance from it."""


ALIKE = 0.5
"""And where the two rise and fall together so far: a flat picture is near to whatever is less bright and dark."""


def changes(pixels: Pixels) -> dict[str, Pixels]:
    """What servers do to a picture by mistake, by what that looks like."""
    height, width = pixels.shape[:2]
    down, right = height // 8, width // 8
    found = {
        "looks like BGR: red and blue are swapped": pixels[:, :, ::-1],
        "looks upside down: the rows come in reverse": pixels[::-1],
        "looks mirrored": pixels[:, ::-1],
        "looks turned by 180 degrees": pixels[::-1, ::-1],
        "looks upside down, with red and blue swapped: a bitmap as Windows has it": pixels[::-1, :, ::-1],
        "looks as if all bytes came in reverse: turned, with red and blue swapped": pixels[::-1, ::-1, ::-1],
        "looks as if width and height were swapped in reading the rows": pixels.reshape(width, height, 3).transpose(
            1, 0, 2
        ),
        "looks as if the channels came one plane after another": pixels.reshape(3, height, width).transpose(1, 2, 0),
        "looks transposed: rows and columns are swapped": pixels.transpose(1, 0, 2),
        "looks turned by 90 degrees": np.rot90(pixels),
        "looks turned by 270 degrees": np.rot90(pixels, 3),
        "looks inverted: dark is bright": 255 - pixels,
    }
    if down and right:
        found["looks cropped to its middle"] = pixels[down:-down, right:-right]
    return {name: np.ascontiguousarray(changed) for name, changed in found.items()}


def as_changed(stream: GenerationStream, shown: Picture) -> str:
    """The change of the image in its request that a picture resembles, "" where it resembles none much more than the
    image itself. Where there is a mask, its black part decides: there the image is to be kept."""
    sent = fields(stream.exchange.request)
    mask = _ways(sent["mask"], shown.size)[0] if sent.get("mask") else None
    image = pixels_of(file_sent(sent["image"]))
    changed = changes(image)
    regions = {name: [None] for name in changed} if mask is None else _kept(mask)

    def away(pixels: Pixels, kept: Region | None) -> float:
        ways = fits(pixels, shown.size).values()
        if kept is not None:
            return min(distance(shown.pixels, way, kept) for way in ways)
        return min(distance(coarse(shown.pixels), coarse(way)) for way in ways)

    found = ((away(changed[name], kept), name, kept) for name, several in regions.items() for kept in several)
    nearest, name, kept = min(found, key=lambda one: one[0], default=(0.0, "", None))
    if not name or nearest >= CLEARLY * away(image, kept):
        return ""
    ways = fits(changed[name], shown.size).values()
    if mask is None and max(resemblance(shown.pixels, way) for way in ways) < ALIKE:
        return ""
    return f"the image {name}?"


def _kept(mask: Pixels) -> dict[str, list[Region | None]]:
    """For each change where it may show: what is black in the mask, and, since a server that turns its answers turns
    what was repainted with them, what is black in the mask changed alike. Empty for a mask without black."""
    kept = away_from_seam(mask[:, :, 0] >= HALF, SEAM)[0]
    if not kept.any():
        return {}
    found: dict[str, list[Region | None]] = {}
    for name, changed in changes(mask).items():
        moved = away_from_seam(changed[:, :, 0] >= HALF, SEAM)[0] if changed.shape == mask.shape else kept
        found[name] = [kept, moved] if moved.any() else [kept]
    return found


@dataclass(frozen=True)
class Parts:
    """How far the parts of an inpainting are from the image in its request, 0..255: the black one, that tile of it
    which is furthest, and the white one; and the share of the white one's tiles that are the image as it is."""

    kept: float
    worst: float
    repainted: float
    untouched: float


def from_parts(stream: GenerationStream, shown: Picture) -> Parts:
    """How far an inpainting is from the image in its request.

    Image and mask are taken to be fitted in those ways that leave most of the black part as it was. Raises
    MissingEvidence where the mask leaves nothing to judge.
    """
    judged = [(image, *away_from_seam(white, SEAM)) for image, white in _fitted(stream, shown)]
    judged = [(image, kept, repainted) for image, kept, repainted in judged if kept.any() and repainted.any()]
    if not judged:
        raise MissingEvidence("the mask leaves nothing to judge away from its seam")
    image, kept, repainted = min(judged, key=lambda one: distance(shown.pixels, one[0], one[1]))
    black, white = (tiles(shown.pixels, image, region, TILE) for region in (kept, repainted))
    return Parts(
        kept=distance(shown.pixels, image, kept),
        worst=float(black.max()),
        repainted=distance(shown.pixels, image, repainted),
        untouched=float(np.mean(white < UNTOUCHED)),
    )


def by(size: tuple[int, int] | None) -> str:
    return "no size" if size is None else f"{size[0]}x{size[1]}"
