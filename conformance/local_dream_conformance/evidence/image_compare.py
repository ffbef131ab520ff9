"""How alike two pictures are: those of two generations, or one and the image in its request."""

from __future__ import annotations

import base64

import numpy as np
from PIL import Image

from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.evidence.generation import GenerationStream
from local_dream_conformance.evidence.images import (
    Picture,
    Pixels,
    away_from_seam,
    distance,
    fits,
    pixels_of,
    psnr,
    shrink,
    white_of,
)
from local_dream_conformance.evidence.selectors import fields, picture

SAME = 35.0
"""PSNR in dB from which two pictures are the same one (GEN-PIC-07)."""
BLOCK = 8
"""Pixels to a side of the blocks in which a picture is compared with its image: texture is the decoder's own."""
SEAM = 16
"""Pixels on either side of a mask's edge that are not judged: models blend there, in cells of 8 pixels."""


def alike(one: GenerationStream, other: GenerationStream) -> bool:
    """Whether two generations gave the same picture."""
    first, second = picture(one), picture(other)
    if first is None or second is None or first.size != second.size:
        return False
    return psnr(first.pixels, second.pixels) >= SAME


def unlikeness(one: GenerationStream, other: GenerationStream) -> str:
    """How far apart the pictures of two generations are, in words."""
    first, second = picture(one), picture(other)
    if first is None or second is None:
        return "no picture to compare"
    if first.size != second.size:
        return f"{by(second.size)} pixels instead of {by(first.size)}"
    return f"PSNR {psnr(first.pixels, second.pixels):.1f} dB; {SAME:g} dB is the same"


def from_image(stream: GenerationStream, shown: Picture) -> float:
    """How far a picture is from the image in its request, 0..255, in whichever way the server fitted that."""
    ways = fits(_sent_image(stream), shown.size).values()
    return min(distance(coarse(shown.pixels), coarse(way)) for way in ways)


def coarse(pixels: Pixels) -> Pixels:
    """The means of blocks; what does not fill a block is left out."""
    height, width = (edge // BLOCK * BLOCK for edge in pixels.shape[:2])
    return shrink(pixels[:height, :width], BLOCK) if height and width else pixels


def _sent_image(stream: GenerationStream) -> Pixels:
    return pixels_of(base64.b64decode(fields(stream.exchange.request)["image"]))


CLEARLY = 0.5
"""A picture resembles a change of its image where it is at most this share of the distance from it."""


def changes(pixels: Pixels) -> dict[str, Pixels]:
    """What servers do to a picture by mistake, by what that looks like."""
    height, width = pixels.shape[:2]
    down, right = height // 8, width // 8
    found = {
        "looks like BGR: red and blue are swapped": pixels[:, :, ::-1],
        "looks upside down: the rows come in reverse": pixels[::-1],
        "looks mirrored": pixels[:, ::-1],
        "looks turned by 180 degrees": pixels[::-1, ::-1],
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
    kept = None
    if sent.get("mask"):
        white = np.asarray(
            Image.fromarray(white_of(base64.b64decode(sent["mask"]))).resize(shown.size, Image.Resampling.NEAREST)
        )
        kept = away_from_seam(white, SEAM)[0]
        if not kept.any():
            return ""

    def away(pixels: Pixels) -> float:
        ways = fits(pixels, shown.size).values()
        if kept is not None:
            return min(distance(shown.pixels, way, kept) for way in ways)
        return min(distance(coarse(shown.pixels), coarse(way)) for way in ways)

    image = _sent_image(stream)
    nearest, name = min((away(changed), name) for name, changed in changes(image).items())
    return f"the image {name}?" if nearest < CLEARLY * away(image) else ""


def from_parts(stream: GenerationStream, shown: Picture) -> tuple[float, float]:
    """How far the black and the white part of an inpainting are from the image in its request, 0..255 each.

    Raises MissingEvidence where the mask leaves nothing to judge.
    """
    mask = white_of(base64.b64decode(fields(stream.exchange.request)["mask"]))
    white = np.asarray(Image.fromarray(mask).resize(shown.size, Image.Resampling.NEAREST))
    kept, repainted = away_from_seam(white, SEAM)
    if not kept.any() or not repainted.any():
        raise MissingEvidence("the mask leaves nothing to judge away from its seam")
    ways = fits(_sent_image(stream), shown.size).values()
    image = min(ways, key=lambda way: distance(shown.pixels, way, kept))
    return distance(shown.pixels, image, kept), distance(shown.pixels, image, repainted)


def by(size: tuple[int, int] | None) -> str:
    return "no size" if size is None else f"{size[0]}x{size[1]}"
