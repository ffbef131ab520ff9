"""Asking an engine for pictures, one request at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from local_dream_reference.engine import Picture, ReferenceEngine

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request to the engine; the defaults are those of the API."""

    prompt: str
    seed: int
    negative_prompt: str = ""
    weights: tuple[tuple[str, float], ...] = ()
    negative_weights: tuple[tuple[str, float], ...] = ()
    ultrafix: bool = False
    tile_size: int = 512
    steps: int = 20
    cfg: float = 7.5
    width: int = 512
    height: int = 512
    scheduler: str = "dpm"
    denoise_strength: float = 0.6
    image: Rgb | None = None
    mask: Rgb | None = None

    def previews_at(self, denoising_step: int, /) -> bool:
        """None: an evaluation looks at results."""
        return False


def draw(engine: ReferenceEngine, ask: Ask) -> Rgb:
    """Return the picture (height, width, 3)."""
    *_, last = engine.generate(ask, lambda: False)
    if not isinstance(last, Picture):
        raise RuntimeError("the engine ended without a picture")
    return last.rgb


def as_tensor(rgb: Any) -> torch.Tensor:
    """Turn (h, w, 3) uint8 into (1, 3, h, w) in -1..1, for the judge."""
    return torch.from_numpy(np.array(rgb)).permute(2, 0, 1)[None].float().div(127.5).sub(1.0)
