"""A label map (which leaf covers which pixel) and the paint that turns it into a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from local_dream_reference.upscaling.training.shapes import Outline

FloatImage = NDArray[np.float32]
"""Shape (h, w, 3), RGB in 0..1 (may overshoot slightly before the final clip)."""


class LabelMap:
    """Leaves drawn one over another; every leaf gets the next label, from 1 up; 0 is empty."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.count = 0
        self._image = Image.new("I", (side, side), 0)
        self._draw = ImageDraw.Draw(self._image)

    def add(self, outline: Outline, x: float, y: float) -> None:
        self.count += 1
        points = [(float(px + x), float(py + y)) for px, py in outline]
        self._draw.polygon(points, fill=self.count)

    def labels(self) -> NDArray[np.int32]:
        return np.asarray(self._image, dtype=np.int32)


@dataclass(frozen=True)
class Paint:
    """How strongly leaves are shaded and textured."""

    shading: float
    """Largest change of brightness across the whole picture side, 0..1."""
    texture: float
    """Typical texture contrast, 0..0.3."""
    textured_share: float
    """Share of the leaves that carry a texture, 0..1."""


def paint(
    rng: np.random.Generator,
    label_map: LabelMap,
    colours: NDArray[np.float32],
    bank: NDArray[np.float16],
    how: Paint,
) -> FloatImage:
    """Colour each leaf with its own colour, brightness slope and crop of a texture."""
    labels = label_map.labels()
    side, count = label_map.side, label_map.count + 1
    base = np.vstack([np.zeros((1, 3), np.float32), colours[: label_map.count]])
    slope = rng.normal(0, how.shading, (count, 2)).astype(np.float32)
    contrast = np.abs(rng.normal(0, how.texture, count)).astype(np.float32)
    contrast[rng.random(count) > how.textured_share] = 0
    which = rng.integers(0, len(bank), count).astype(np.int32)
    shift = rng.integers(0, bank.shape[1], (count, 2)).astype(np.int32)
    axis = np.arange(side, dtype=np.int32)
    rows, columns = axis[:, None], axis[None, :]
    texture_side = bank.shape[1]
    ty = (rows + shift[:, 0][labels]) % texture_side
    tx = (columns + shift[:, 1][labels]) % texture_side
    light = bank[which[labels], ty, tx].astype(np.float32) * contrast[labels]
    ramp = (axis / side - 0.5).astype(np.float32)
    light += slope[:, 0][labels] * ramp[:, None] + slope[:, 1][labels] * ramp[None, :]
    picture = base[labels]
    # Half of the light multiplies and half adds, so that dark leaves keep their texture.
    picture = picture * (1 + light[..., None] * 0.8) + light[..., None] * 0.35
    return np.asarray(picture, np.float32)


def finished(picture: FloatImage, side: int, filter: Image.Resampling) -> NDArray[np.uint8]:
    """Clip, quantise and shrink the oversized drawing to (side, side, 3) uint8."""
    quantised = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    shrunk = Image.fromarray(quantised).resize((side, side), filter)
    return np.asarray(shrunk)
