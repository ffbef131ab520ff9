"""A picture enlarged piece by piece, so that memory does not grow with its size.

Every tile is computed with ``margin`` pixels of its surroundings, which are cut off
again. With a margin as wide as the network sees, the result is that of the whole picture
at once (up to the rounding of the arithmetic), so there are no seams to hide.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from local_dream_reference.upscaling.errors import NotFinite

Picture = NDArray[np.uint8]

SCALE = 4


@dataclass(frozen=True)
class Tile:
    """One tile along one axis, in small pixels: what is kept and what is computed for it."""

    start: int
    stop: int
    context_start: int
    context_stop: int


def spans(length: int, tile: int, margin: int, grid: int = 1) -> list[Tile]:
    """Cut 0..length into nearly equal tiles of at most ``tile``, each with its context.

    Contexts begin on multiples of ``grid``, for networks that see pixels in squares.
    """
    count = -(-length // tile)
    cuts = [length * index // count for index in range(count + 1)]
    return [
        Tile(start, stop, max(start - margin, 0) // grid * grid, min(stop + margin, length))
        for start, stop in itertools.pairwise(cuts)
    ]


def tiles(height: int, width: int, tile: tuple[int, int], margin: int, grid: int = 1) -> Iterator[tuple[Tile, Tile]]:
    """All (row, column) tiles of a picture, row by row. ``tile`` is the greatest (height, width) of one."""
    columns = spans(width, tile[1], margin, grid)
    for row in spans(height, tile[0], margin, grid):
        for column in columns:
            yield row, column


def to_tensor(picture: Picture, device: torch.device) -> Tensor:
    """(h, w, 3) uint8 to (1, 3, h, w) float32 in 0..1, channels last in memory."""
    pixels = torch.tensor(picture, device=device)
    return pixels.permute(2, 0, 1).unsqueeze(0).float().div_(255)


def to_picture(tensor: Tensor) -> Picture:
    """(1, 3, h, w) float32, nominally in 0..1, to (h, w, 3) uint8, rounded to the nearest.

    Raises NotFinite.
    """
    # A sum is not finite if any of its terms is not, and needs no memory for an answer per value.
    if not math.isfinite(float(tensor.sum(dtype=torch.float32))):
        raise NotFinite
    scaled = tensor[0].mul(255).round_().clamp_(0, 255).to(torch.uint8)
    return np.asarray(scaled.permute(1, 2, 0).cpu().numpy(), np.uint8)


def enlarge_tile(network: nn.Module, picture: Picture, row: Tile, column: Tile, device: torch.device) -> Picture:
    """The enlarged pixels of one tile, (4 rows, 4 columns, 3) uint8."""
    context = picture[row.context_start : row.context_stop, column.context_start : column.context_stop]
    large = network(to_tensor(context, device))
    top, left = (row.start - row.context_start) * SCALE, (column.start - column.context_start) * SCALE
    bottom, right = top + (row.stop - row.start) * SCALE, left + (column.stop - column.start) * SCALE
    return to_picture(large[:, :, top:bottom, left:right])


def enlarge(
    network: nn.Module,
    picture: Picture,
    tile: tuple[int, int],
    margin: int,
    device: torch.device,
    each: Callable[[Callable[[], Picture]], Picture],
    grid: int = 1,
) -> Picture:
    """The whole picture, (h, w, 3) to (4h, 4w, 3) uint8.

    ``each`` is given every tile's work and runs it: the place to take turns or to give up.
    """
    height, width = picture.shape[:2]
    result = np.empty((height * SCALE, width * SCALE, 3), np.uint8)
    for row, column in tiles(height, width, tile, margin, grid):

        def work(row: Tile = row, column: Tile = column) -> Picture:
            return enlarge_tile(network, picture, row, column, device)

        result[row.start * SCALE : row.stop * SCALE, column.start * SCALE : column.stop * SCALE] = each(work)
    return result
