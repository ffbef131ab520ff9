"""Style words: what is done to the finished picture (the poster's banded sky is painted, not added here)."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageEnhance

PIXEL_ROWS = 64


def apply_style(image: Image.Image, style: str) -> Image.Image:
    """Return the picture (RGB, same size) in one of the styles of
    :data:`~local_dream_reference.synthetic_dataset.scene.STYLES`."""
    if style == "pastel":
        return _pastel(image)
    if style == "pixel":
        return _pixel(image)
    if style == "poster":
        return _poster(image)
    return image


def _pastel(image: Image.Image) -> Image.Image:
    soft = ImageEnhance.Color(image).enhance(1.1)
    return Image.blend(soft, Image.new("RGB", image.size, (255, 244, 248)), 0.42)


def _pixel(image: Image.Image) -> Image.Image:
    rows = min(PIXEL_ROWS, image.height)
    columns = max(1, round(rows * image.width / image.height))
    small = image.resize((columns, rows), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.NEAREST)


def _poster(image: Image.Image) -> Image.Image:
    pixels = np.asarray(ImageEnhance.Color(image).enhance(1.3), dtype=np.float32)
    warm = pixels * np.array([1.03, 1.0, 0.92], dtype=np.float32) + np.array([8.0, 2.0, 0.0], dtype=np.float32)
    curved = 255.0 * (warm.clip(0, 255) / 255.0) ** 1.12
    return Image.fromarray(curved.round().clip(0, 255).astype(np.uint8))
