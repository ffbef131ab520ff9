"""How large the latents of a preview are: a whole decode at each step would take as long as the steps."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

LEAST: Final = 16
"""Least side, in latent cells, of what is decoded for a preview."""


def preview_scale(step: int, total: int, cells: tuple[int, int]) -> int:
    """By how much the latents of (height, width) ``cells`` are shrunk before they are decoded at a step from 1.

    1 at the last step, whose guess is the picture; 2 in the last tenth before it; 4 earlier. A decoder's work falls
    with the square of it.
    """
    wanted = 1 if step == total else 2 if 10 * step > 9 * total else 4
    while wanted > 1 and min(cells) < LEAST * wanted:
        wanted //= 2
    return wanted


def shrunk(latents: torch.Tensor, scale: int) -> torch.Tensor:
    """Average (1, c, h, w) over ``scale`` x ``scale`` cells."""
    if scale == 1:
        return latents
    height, width = latents.shape[-2:]
    return functional.adaptive_avg_pool2d(latents, (height // scale, width // scale))


def enlarged(rgb: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A preview of (h, w, 3) in the size of its picture."""
    if rgb.shape[:2] == (height, width):
        return rgb
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC), np.uint8)
