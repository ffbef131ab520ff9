"""What an engine says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Description:
    """What the engine is. ``native_size`` is the side in pixels of the square that the model was made for."""

    name: str
    device: str
    schedulers: Sequence[str]
    native_size: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What can be asked for at most. Sides in pixels."""

    max_pixels: int
    min_side: int = 64
    max_side: int = 4096
    max_steps: int = 1000
    max_upscale_side: int = 4096
    max_upscale_pixels: int = 4096 * 4096
