"""Denoising in tiles that overlap, so that a picture may be larger than what a model was made for.

Each step's prediction is put together from those of the tiles, and the sampler takes it as one: there is one
trajectory for the whole picture, as in MultiDiffusion (Bar-Tal et al. 2023), and not one for each tile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch

OVERLAP: Final = 4
"""A tile shares at least this part (a quarter) of its side with the next one."""
GRID: Final = 8
"""Latent cells that the deepest level of the network has one for: tiles begin on multiples of them."""


def starts(length: int, tile: int) -> list[int]:
    """Where tiles begin that cover ``length`` cells."""
    step = max(GRID, (tile - tile // OVERLAP) // GRID * GRID)
    return [*range(0, length - tile, step), max(0, length - tile)]


def fading(tile: int) -> torch.Tensor:
    """How much each cell of a tile counts, (tile, tile): most in the middle, least at its edge, never nothing."""
    ramp = torch.arange(tile).minimum(torch.arange(tile).flip(0)).add(1).clamp(max=max(1, tile // OVERLAP)).float()
    return ramp[:, None] * ramp[None, :]


@contextmanager
def tiled(unet: torch.nn.Module, tile: int) -> Iterator[None]:
    """While inside, ``unet`` sees latents (n, c, h, w) in tiles of ``tile`` cells."""
    whole = unet.forward
    weight = fading(tile)

    def forward(latents: torch.Tensor, *others: Any, **named: Any) -> tuple[torch.Tensor]:
        total = torch.zeros_like(latents)
        counted = torch.zeros(latents.shape[-2:], device=latents.device)
        share = weight.to(latents.device)
        for top in starts(latents.shape[-2], tile):
            for left in starts(latents.shape[-1], tile):
                place = (..., slice(top, top + tile), slice(left, left + tile))
                total[place] += whole(latents[place], *others, **named)[0] * share
                counted[place[1:]] += share
        return (total / counted,)

    unet.forward = forward
    try:
        yield
    finally:
        unet.forward = whole
