"""A supersampled Pillow canvas in units of the picture's height, so that a scene looks alike at every size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from local_dream_reference.synthetic_dataset.palette import RGB, solid

Point = tuple[float, float]
SUPERSAMPLING = 2


class Canvas:
    """Draws in a frame where y runs 0..1 from top to bottom and x runs 0..``aspect``.

    Attributes:
        aspect: width divided by height.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.aspect = width / height
        self._scale = height * SUPERSAMPLING
        self.image = Image.new("RGB", (width * SUPERSAMPLING, height * SUPERSAMPLING))
        self._draw = ImageDraw.Draw(self.image)

    def gradient(self, stops: Sequence[RGB], top: float, bottom: float, bands: int = 0) -> None:
        """Fill from ``top`` to ``bottom`` with evenly spaced colour stops, as ``bands`` flat bands if that is not 0."""
        first, last = round(top * self._scale), round(bottom * self._scale)
        position = np.linspace(0.0, 1.0, max(last - first, 1))
        if bands:
            position = (np.floor(position * bands).clip(0, bands - 1) + 0.5) / bands
        where = np.linspace(0.0, 1.0, len(stops))
        column = np.stack([np.interp(position, where, [stop[c] for stop in stops]) for c in range(3)], axis=-1)
        strip = Image.fromarray(column[:, None, :].round().astype(np.uint8))
        self.image.paste(strip.resize((self.image.width, strip.height), Image.Resampling.NEAREST), (0, first))

    def polygon(self, points: Iterable[Point], paint: RGB) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * self._scale, y * self._scale) for x, y in points], fill=solid(paint))

    def ellipse(self, x: float, y: float, rx: float, ry: float, paint: RGB) -> None:
        """Fill an ellipse around (x, y)."""
        s = self._scale
        self._draw.ellipse(((x - rx) * s, (y - ry) * s, (x + rx) * s, (y + ry) * s), fill=solid(paint))

    def rectangle(self, left: float, top: float, right: float, bottom: float, paint: RGB, radius: float = 0.0) -> None:
        """Fill a rectangle, with rounded corners if ``radius`` is not 0."""
        s = self._scale
        box = (left * s, top * s, right * s, bottom * s)
        if radius:
            self._draw.rounded_rectangle(box, radius=radius * s, fill=solid(paint))
        else:
            self._draw.rectangle(box, fill=solid(paint))

    def line(self, points: Iterable[Point], paint: RGB, width: float) -> None:
        """Draw a line with round joints; never thinner than one supersampled pixel."""
        scaled = [(x * self._scale, y * self._scale) for x, y in points]
        self._draw.line(scaled, fill=solid(paint), width=max(1, round(width * self._scale)), joint="curve")

    def veil(self, alpha: np.ndarray, paint: RGB) -> None:
        """Lay ``paint`` over the picture with an alpha map (h, w) of floats 0..1 at any resolution."""
        mask = Image.fromarray((alpha.clip(0.0, 1.0) * 255).astype(np.uint8))
        mask = mask.resize(self.image.size, Image.Resampling.BILINEAR)
        self.image.paste(solid(paint), (0, 0, *self.image.size), mask)

    def mesh(self, rows: int = 96) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y (each (rows, columns), in canvas units) for building a :meth:`veil`."""
        columns = max(2, round(rows * self.aspect))
        x, y = np.meshgrid((np.arange(columns) + 0.5) / columns * self.aspect, (np.arange(rows) + 0.5) / rows)
        return x, y

    def finished(self) -> Image.Image:
        """Return the picture at its own size (RGB)."""
        return self.image.resize((self.width, self.height), Image.Resampling.BOX)
