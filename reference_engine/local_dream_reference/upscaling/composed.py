"""Networks that enlarge by another number than 4, put together so that 4 comes out."""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn
from torch.nn import functional

from local_dream_reference.upscaling.errors import UnusableWeights

WANTED: Final = 4


def check_scale(scale: int) -> None:
    """Raises UnusableWeights (without a file name) for a scale of which 4 cannot be made."""
    if scale == 1:
        raise UnusableWeights("does not enlarge (1x): it restores pictures of the same size, and 4x is asked for")
    if scale not in (2, 4, 8):
        raise UnusableWeights(f"enlarges by {scale}: only 4 can be used, 2 (applied twice) and 8 (halved)")


def composed(network: nn.Module, scale: int, reach: int) -> tuple[nn.Module, int]:
    """A network that enlarges by 4, and how many small pixels of context it needs, from one that needs ``reach``."""
    check_scale(scale)
    if scale == 2:
        return Twice(network), reach + -(-reach // 2)
    return (network, reach) if scale == WANTED else (Halved(network), reach + 1)


class Twice(nn.Module):
    """(n, 3, h, w) in 0..1 to (n, 3, 4h, 4w) by a network that doubles."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        doubled: Tensor = self.network(picture).float().clamp(0, 1)
        result: Tensor = self.network(doubled)
        return result


class Halved(nn.Module):
    """(n, 3, h, w) in 0..1 to (n, 3, 4h, 4w) by a network that enlarges by 8."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        large: Tensor = self.network(picture).float().clamp(0, 1)
        return functional.interpolate(large, (4 * height, 4 * width), mode="bicubic", antialias=True)
