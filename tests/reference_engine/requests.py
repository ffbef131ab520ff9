"""Requests to an engine, in the shape that the server sends them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A small request; every field can be set."""

    prompt: str = "a red house"
    negative_prompt: str = ""
    weights: tuple[tuple[str, float], ...] = ()
    negative_weights: tuple[tuple[str, float], ...] = ()
    ultrafix: bool = False
    tile_size: int = 512
    seed: int = 5
    steps: int = 4
    cfg: float = 7.5
    width: int = 64
    height: int = 64
    scheduler: str = "dpm"
    denoise_strength: float = 0.6
    image: NDArray[np.uint8] | None = None
    mask: NDArray[np.uint8] | None = None
    previews: bool = False
    preview_stride: int = 1

    def previews_at(self, denoising_step: int, /) -> bool:
        """Every stride-th step from the first."""
        return self.previews and (denoising_step - 1) % self.preview_stride == 0


def noise(height: int = 64, width: int = 64) -> NDArray[np.uint8]:
    """Return a picture that is the same every time."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
