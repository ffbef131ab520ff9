"""Colours for drawn pictures: mostly muted, related to each other, now and then vivid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]

_TO_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)


def muted_palette(rng: np.random.Generator, count: int) -> Colours:
    """``count`` RGB colours in 0..1, shape (count, 3), scattered round a few themes."""
    themes = int(rng.integers(2, 6))
    vividness = float(np.exp(rng.uniform(np.log(0.01), np.log(0.14))))
    chroma = rng.normal(0, vividness, (themes, 2))
    brightness = rng.uniform(0.05, 0.95, themes)
    member = rng.integers(0, themes, count)
    spread = rng.uniform(0.05, 0.35)
    luma = brightness[member] + rng.normal(0, spread, count)
    # Reflecting instead of clipping keeps flat black and flat white from taking over.
    luma = np.abs(luma)
    luma = np.where(luma > 1, 2 - luma, luma)
    tint = chroma[member] + rng.normal(0, vividness / 3, (count, 2))
    ycc = np.column_stack([np.clip(luma, 0, 1), tint]).astype(np.float32)
    return np.asarray(np.clip(ycc @ _TO_RGB.T, 0, 1), np.float32)


def poster_palette(rng: np.random.Generator, count: int) -> Colours:
    """``count`` clean, saturated RGB colours in 0..1, as illustrations use them."""
    hue = rng.random(count)
    saturation = rng.beta(2, 1.5, count)
    value = rng.beta(3, 1.3, count)
    sector = (hue[:, None] * 6 + np.array([5.0, 3.0, 1.0])) % 6
    weight = np.clip(np.minimum(sector, 4 - sector), 0, 1)
    return np.asarray(value[:, None] * (1 - saturation[:, None] * weight), np.float32)
