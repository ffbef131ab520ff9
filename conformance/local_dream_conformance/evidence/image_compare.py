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
    Region,
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
    """How far a picture is from the image in its request, 0..255, in whichever way the server fitted that.

    With a mask in its white part alone, away from the seam (see `judges_strength`).
    """
    region = _white_blocks(stream, shown)
    ways = fits(_sent_image(stream), shown.size).values()
    return min(distance(coarse(shown.pixels), coarse(way), region) for way in ways)


def judges_strength(stream: GenerationStream, shown: Picture) -> bool:
    """Whether `from_image` has something to look at: a mask may leave no block that is all white."""
    region = _white_blocks(stream, shown)
    return region is None or bool(region.any())


def _white_blocks(stream: GenerationStream, shown: Picture) -> Region | None:
    """The blocks of a picture that lie in the white part of the mask, away from its seam; None without a mask."""
    text = fields(stream.exchange.request).get("mask")
    if not text:
        return None
    white = np.asarray(Image.fromarray(white_of(base64.b64decode(text))).resize(shown.size, Image.Resampling.NEAREST))
    _, repainted = away_from_seam(white, SEAM)
    height, width = (edge // BLOCK * BLOCK for edge in repainted.shape)
    blocks = repainted[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    found: Region = np.all(blocks, axis=(1, 3))
    return found


def coarse(pixels: Pixels) -> Pixels:
    """The means of blocks; what does not fill a block is left out."""
    height, width = (edge // BLOCK * BLOCK for edge in pixels.shape[:2])
    return shrink(pixels[:height, :width], BLOCK) if height and width else pixels


def _sent_image(stream: GenerationStream) -> Pixels:
    return pixels_of(base64.b64decode(fields(stream.exchange.request)["image"]))


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
