"""The request by which a model shows that it makes pictures, before anybody has asked for one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialRequest:
    """See ``pipelines.Request``."""

    steps: int
    width: int
    height: int
    prompt: str = "a house"
    negative_prompt: str = ""
    weights: tuple[tuple[str, float], ...] = ()
    negative_weights: tuple[tuple[str, float], ...] = ()
    ultrafix: bool = False
    tile_size: int = 512
    seed: int = 0
    cfg: float = 7.5
    scheduler: str = "dpm"
    denoise_strength: float = 1.0
    image: NDArray[np.uint8] | None = None
    mask: NDArray[np.uint8] | None = None

    def previews_at(self, denoising_step: int, /) -> bool:
        """None."""
        return False


def trial_request(side: int, steps: int, repaints_only: bool) -> TrialRequest:
    """A square picture; a white one repainted where the model can do nothing else."""
    if not repaints_only:
        return TrialRequest(steps=steps, width=side, height=side)
    white = np.full((side, side, 3), 255, np.uint8)
    return TrialRequest(steps=steps, width=side, height=side, image=white, mask=white[..., 0])
