"""What is measured of the pixels of one picture, and between those of two.

Pixels are uint8 arrays of shape (height, width, 3), RGB, unless a docstring says otherwise.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Region = NDArray[np.bool_]
"""Of shape (height, width)."""


def psnr(one: Pixels, other: Pixels) -> float:
    """Likeness of two pictures of one size in dB: inf where they are equal, above 35 hard to tell apart, 10 unlike."""
    error = _mean(np.square(one.astype(np.int32) - other))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def distance(one: Pixels, other: Pixels, region: Region | None = None) -> float:
    """Mean absolute difference of two pictures of one size, 0..255; in `region` (height, width) only, where given."""
    difference = np.abs(one.astype(np.int16) - other.astype(np.int16))
    return _mean(difference if region is None else difference[region])


def _mean(values: NDArray[Any]) -> float:
    """Of whole numbers, which are summed as such: numpy makes a float of each first. Not a number where there are
    none."""
    return int(values.sum(dtype=np.int64)) / values.size if values.size else float("nan")


def tiles(one: Pixels, other: Pixels, region: Region, side: int) -> NDArray[np.float64]:
    """Mean absolute differences of two pictures of one size, 0..255, in the tiles of side x side pixels of which at
    least half is in `region` (height, width); over the region where there is none."""
    channels = np.abs(one.astype(np.int16) - other.astype(np.int16))
    difference = (channels[..., 0] + channels[..., 1] + channels[..., 2]) / 3
    height, width = region.shape
    down, right = -height % side, -width % side
    shape = ((height + down) // side, side, (width + right) // side, side)
    inside = np.pad(region, ((0, down), (0, right))).reshape(shape).sum(axis=(1, 3))
    sums = np.pad(difference * region, ((0, down), (0, right))).reshape(shape).sum(axis=(1, 3))
    full = inside * 2 >= side * side
    found: NDArray[np.float64] = sums[full] / inside[full]
    return found if found.size else np.array([distance(one, other, region)])


def contrast(pixels: Pixels) -> int:
    """Largest minus smallest value over all channels' pixels, 0..255: 0 where the picture is one flat colour."""
    flat = pixels.reshape(-1, 3)
    return int(np.max(flat.max(axis=0).astype(np.int16) - flat.min(axis=0)))


def roughness(pixels: Pixels) -> float:
    """Mean square of the difference of a value from that of the next pixel to the right, and of the one below: 0 where
    the picture is flat; a cut through a smooth picture counts for much."""
    values = pixels.astype(np.float32)
    return float(sum((np.diff(values, axis=axis) ** 2).mean() for axis in (0, 1) if values.shape[axis] > 1))


ROUGH = 9.0
"""Roughness below which a picture is too smooth to tell in which order its values were written."""
SMOOTHER = 0.45
"""Share of its roughness that a picture has at most where its values are read in the order that was meant."""


def other_order(pixels: Pixels) -> str:
    """The order in which the values of a picture seem to have been written, as a question; "" where it is row by row,
    RGB by RGB.

    Pictures are smooth along both sides, also after few steps; where one is smooth in another order alone, that was
    meant.
    """
    height, width = pixels.shape[:2]
    orders = {"the channels come one plane after another?": pixels.reshape(3, height, width).transpose(1, 2, 0)}
    if height != width:
        swapped = pixels.reshape(width, height, 3).transpose(1, 0, 2)
        orders["width and height are swapped in the order of the values?"] = swapped
    rough = roughness(pixels)
    smoothest, name = min((roughness(other), name) for name, other in orders.items())
    return name if rough >= ROUGH and smoothest < SMOOTHER * rough else ""


def shrink(pixels: Pixels, factor: int) -> Pixels:
    """The picture with every factor x factor block averaged. Its sides must be multiples of the factor."""
    height, width = pixels.shape[0] // factor, pixels.shape[1] // factor
    rows = pixels.reshape(height, factor, width * factor * 3).sum(axis=1, dtype=np.uint32)
    sums = rows.reshape(height, width, factor, 3).sum(axis=2)
    means: Pixels = np.rint(sums / factor**2).astype(np.uint8)
    return means


def shift(one: Pixels, other: Pixels) -> tuple[float, float]:
    """By how many pixels (to the right, down) the other picture is shifted against the one, less than one or so.

    By least squares: a smooth picture that is shifted differs from itself by its slope times the way. Where a channel
    is brighter or has more contrast, that is told apart.
    """
    inner = (slice(1, -1), slice(1, -1))
    moved, rows = other.astype(np.float64), []
    for channel in range(3):
        plane = one[:, :, channel].astype(np.float64)
        down, right = (np.asarray(slope)[inner].ravel() for slope in np.gradient(plane))
        tone = np.zeros((6, right.size))
        tone[2 * channel], tone[2 * channel + 1] = 1, plane[inner].ravel() - plane.mean()
        rows.append((np.vstack([right, down, tone]), (plane - moved[:, :, channel])[inner].ravel()))
    slopes, differences = (np.concatenate(parts, axis=-1) for parts in zip(*rows, strict=True))
    found = np.linalg.lstsq(slopes.T, differences, rcond=None)[0]
    return float(found.item(0)), float(found.item(1))


def fits(pixels: Pixels, size: tuple[int, int]) -> dict[str, Pixels]:
    """The picture brought to `size` (width, height) in each way that a server may choose, by name of the way; ways that
    come to the same are one array."""
    image = Image.fromarray(pixels)
    width, height = size
    stretched = np.asarray(image.resize(size, Image.Resampling.BICUBIC))
    found = {"stretch": stretched}
    for way, pick in (("cover", max), ("contain", min)):
        scale = pick(width / image.width, height / image.height)
        scaled = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        found[way] = stretched if scaled == size else _placed(image.resize(scaled, Image.Resampling.BICUBIC), size)
    return found


def _placed(image: Image.Image, size: tuple[int, int]) -> Pixels:
    """In the middle of black, or the middle of it."""
    canvas = Image.new("RGB", size)
    canvas.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return np.asarray(canvas)


def away_from_seam(white: Region, margin: int) -> tuple[Region, Region]:
    """(kept, repainted): the black and the white part of a mask without what lies within `margin` pixels of the other.

    `white` is (height, width), True where the mask is white. Either part may come out empty.
    """
    return _away_from_seam(white.tobytes(), white.shape, margin)


@lru_cache(maxsize=64)
def _away_from_seam(white: bytes, shape: tuple[int, ...], margin: int) -> tuple[Region, Region]:
    """The masks of a run are few, and each is looked at by several checks."""
    region = np.frombuffer(white, np.bool_).reshape(shape)
    return ~_grown(region, margin), ~_grown(~region, margin)


def _grown(region: Region, margin: int) -> Region:
    """The region and all that lies within a square of `margin` pixels around any of it."""
    grown = region
    for axis in (0, 1):  # one axis after the other: does a window of 2 * margin + 1 pixels hold any?
        before = np.insert(np.cumsum(grown, axis, np.int32), 0, 0, axis)
        places = np.arange(region.shape[axis])
        first, last = np.maximum(places - margin, 0), np.minimum(places + margin + 1, region.shape[axis])
        grown = before.take(last, axis) > before.take(first, axis)
    return grown
