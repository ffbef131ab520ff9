"""Pictures that the suite sends: smooth, and unlike their own mirror image in x, y, in a turn and in channel order.

Smooth, because an upscaler and a JPEG must be able to keep them; asymmetric, so that flipped rows, swapped axes, BGR or
a wrong row length turn them into something else.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from local_dream_conformance.evidence.pixels import Pixels, Region

STRIP = 256
"""Rows that are worked on at a time."""


def card(width: int, height: int) -> Pixels:
    """A test card, (height, width, 3): red rises with x, green falls with y, blue is a blob in the upper left."""
    drawn = np.empty((height, width, 3), np.uint8)
    x = (np.arange(width) + 0.5)[None, :] / width
    for rows in strips(height):
        y = (np.arange(height)[rows] + 0.5)[:, None] / height
        drawn[rows, :, 0] = np.rint(30 + 195 * x)
        drawn[rows, :, 1] = np.rint(225 - 180 * y)
        drawn[rows, :, 2] = np.rint(40 + 170 * np.exp(-(((x - 0.25) / 0.3) ** 2 + ((y - 0.3) / 0.35) ** 2)))
    return drawn


def strips(height: int) -> Iterator[slice]:
    """The rows of a picture, some at a time: a large one as floating point numbers takes 200 MB."""
    return (slice(top, top + STRIP) for top in range(0, height, STRIP))


def exposed(pixels: Pixels) -> Pixels:
    """The picture with more contrast: large parts of every channel are as dark and as bright as can be."""
    values: NDArray[np.float64] = (pixels.astype(np.float64) - 127.5) * 1.8 + 127.5
    return np.rint(values).clip(0, 255).astype(np.uint8)


def mask(width: int, height: int) -> Region:
    """Where to repaint: the right five eighths without a notch in the lower right. (height, width), True where white.

    No rectangle, so that a box around it shows; and no picture of itself flipped, turned or transposed.
    """
    white = np.zeros((height, width), np.bool_)
    white[:, width * 3 // 8 :] = True
    white[height // 2 :, width * 5 // 8 :] = False
    return white


def band(width: int, height: int) -> Region:
    """Where to repaint: all but a band at the left, a tenth of the width. (height, width), True where white."""
    white = np.ones((height, width), np.bool_)
    white[:, : width // 10] = False
    return white


def posterised(pixels: Pixels) -> Pixels:
    """The picture in at most 256 colours, so that a palette holds it: 8 levels of red and green, 4 of blue."""
    levels = np.array([32, 32, 64], np.uint8)
    coarse: Pixels = pixels // levels * levels + levels // 2
    return coarse


def png(pixels: Pixels | Region) -> bytes:
    """PNG bytes: RGB for pixels, grey (0 or 255) for a region."""
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels.astype(np.uint8) * 255 if pixels.dtype == np.bool_ else pixels)
    picture.save(buffer, "PNG", optimize=False)
    return buffer.getvalue()


def jpeg(pixels: Pixels) -> bytes:
    """JPEG bytes of high quality, colours at full resolution."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()
