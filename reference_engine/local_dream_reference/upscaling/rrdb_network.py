"""The residual-in-residual dense network (RRDBNet layout) of ESRGAN-style weights.

Input and output: float tensors (n, 3, h, w) and (n, 3, sh, sw), RGB in 0..1 (the output
may overshoot). Slow and strong: offered so that third parties' weights run.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_RESIDUAL_SHARE = 0.2


@dataclass(frozen=True)
class RrdbShape:
    """What has to be known to build the network before its weights are loaded."""

    features: int
    """Channels between blocks."""
    blocks: int
    """Residual-in-residual blocks."""
    growth: int
    """Channels that every convolution inside a dense block adds."""
    doublings: int = 2
    """How often what the blocks give is doubled."""
    folded: int = 1
    """Side of the squares of pixels that are one cell of the network: those of Real-ESRGAN's x2 fold 2 x 2."""

    @property
    def scale(self) -> int:
        """By how much it enlarges; 0 where it makes pictures smaller."""
        return int(2**self.doublings // self.folded)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _active(value: Tensor) -> Tensor:
    return functional.leaky_relu(value, 0.2, inplace=True)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees the results of all before it."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.conv1 = _convolution(features, growth)
        self.conv2 = _convolution(features + growth, growth)
        self.conv3 = _convolution(features + 2 * growth, growth)
        self.conv4 = _convolution(features + 3 * growth, growth)
        self.conv5 = _convolution(features + 4 * growth, features)

    def forward(self, value: Tensor) -> Tensor:
        seen = value
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            seen = torch.cat((seen, _active(convolution(seen))), 1)
        result: Tensor = value + self.conv5(seen) * _RESIDUAL_SHARE
        return result


class ResidualBlock(nn.Module):
    """Three dense blocks and a shortcut round them."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = DenseBlock(features, growth)
        self.rdb2 = DenseBlock(features, growth)
        self.rdb3 = DenseBlock(features, growth)

    def forward(self, value: Tensor) -> Tensor:
        result: Tensor = value + self.rdb3(self.rdb2(self.rdb1(value))) * _RESIDUAL_SHARE
        return result


class RrdbNetwork(nn.Module):
    """Blocks at the small size, then doublings, each followed by a convolution."""

    def __init__(self, shape: RrdbShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.features
        self.conv_first = _convolution(3 * shape.folded**2, width)
        self.body = nn.Sequential(*(ResidualBlock(width, shape.growth) for _ in range(shape.blocks)))
        self.conv_body = _convolution(width, width)
        for number in range(1, shape.doublings + 1):
            self.add_module(f"conv_up{number}", _convolution(width, width))
        self.conv_hr = _convolution(width, width)
        self.conv_last = _convolution(width, 3)

    def forward(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        folded = functional.pixel_unshuffle(self._whole_cells(picture), self.shape.folded)
        first = self.conv_first(folded.to(self.conv_first.weight.dtype))
        value = first + self.conv_body(self.body(first))
        for number in range(1, self.shape.doublings + 1):
            doubled = functional.interpolate(value, scale_factor=2, mode="nearest")
            value = _active(self.get_submodule(f"conv_up{number}")(doubled))
        # The last convolution makes the pixels: its precision is that of the picture.
        result: Tensor = self.conv_last(_active(self.conv_hr(value)).to(self.conv_last.weight.dtype))
        return result[..., : height * self.shape.scale, : width * self.shape.scale]

    def _whole_cells(self, picture: Tensor) -> Tensor:
        """With its last row and column repeated as far as cells need it."""
        height, width = picture.shape[-2:]
        below, beside = -height % self.shape.folded, -width % self.shape.folded
        return functional.pad(picture, (0, beside, 0, below), mode="replicate") if below or beside else picture
