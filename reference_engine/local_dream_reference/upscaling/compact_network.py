"""The compact super-resolution network (SRVGGNetCompact layout), ours and third parties'.

Input and output: float tensors (n, 3, h, w) and (n, 3, sh, sw), RGB in 0..1 (the output
may overshoot; whoever makes a picture of it clips). All convolutions work at the small
size and one pixel shuffle at the end enlarges, which is why it is fast.

Key layout of the weights: ``body.0`` a convolution, ``body.1`` its activation, and so on,
the last ``body`` entry the convolution to 3 * scale * scale channels. ``skip`` has no weights: third
parties' networks add their output to the nearest-neighbour enlargement, ours to the
bicubic one, so that training starts at bicubic quality instead of having to learn it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Skip = Literal["nearest", "bicubic"]
Activation = Literal["prelu", "relu", "leakyrelu"]

SCALE = 4


@dataclass(frozen=True)
class CompactShape:
    """What has to be known to build the network before its weights are loaded."""

    features: int
    """Channels of every inner convolution."""
    convolutions: int
    """Inner convolutions, the first and the last one not counted."""
    activation: Activation = "prelu"
    skip: Skip = "nearest"
    scale: int = SCALE
    """By how much it enlarges; with the bicubic skip 4."""


def _activation(kind: Activation, features: int) -> nn.Module:
    if kind == "prelu":
        return nn.PReLU(features)
    return nn.ReLU(inplace=True) if kind == "relu" else nn.LeakyReLU(0.1, inplace=True)


def bicubic_kernel() -> Tensor:
    """Bicubic enlargement by 4 (a = -0.5) as a convolution: (48, 1, 5, 5) for three groups."""
    offsets = torch.arange(-2, 3, dtype=torch.float64, device="cpu")
    rows = []
    for phase in range(SCALE):
        centre = (phase + 0.5) / SCALE - 0.5
        distance = (offsets - centre).abs()
        near = 1.5 * distance**3 - 2.5 * distance**2 + 1
        far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
        row = torch.where(distance <= 1, near, torch.where(distance < 2, far, torch.zeros_like(far)))
        rows.append(row / row.sum())
    taps = torch.stack(rows)
    kernel = torch.einsum("iy,jx->ijyx", taps, taps).reshape(SCALE * SCALE, 1, 5, 5)
    return kernel.repeat(3, 1, 1, 1).float()


class CompactNetwork(nn.Module):
    """A plain stack of 3x3 convolutions on the small picture, then one pixel shuffle."""

    bicubic: Tensor
    body: nn.ModuleList

    def __init__(self, shape: CompactShape) -> None:
        super().__init__()
        self.shape = shape
        self.body = nn.ModuleList([nn.Conv2d(3, shape.features, 3, padding=1)])
        self.body.append(_activation(shape.activation, shape.features))
        for _ in range(shape.convolutions):
            self.body.append(nn.Conv2d(shape.features, shape.features, 3, padding=1))
            self.body.append(_activation(shape.activation, shape.features))
        self.body.append(nn.Conv2d(shape.features, 3 * shape.scale**2, 3, padding=1))
        self.register_buffer("bicubic", bicubic_kernel(), persistent=False)

    @property
    def precision(self) -> torch.dtype:
        """The type of what the convolutions take: float32 where something else runs them."""
        return next((each.dtype for each in self.parameters()), torch.float32)

    def correction(self, picture: Tensor) -> Tensor:
        """What the network adds to the plain enlargement, before the shuffle: (n, 3ss, h, w)."""
        for layer in self.body:
            picture = layer(picture)
        return picture

    def enlargement(self, picture: Tensor) -> Tensor:
        """The plain enlargement before the shuffle, (n, 3ss, h, w), in the input's precision."""
        if self.shape.skip == "nearest":
            return picture.repeat_interleave(self.shape.scale**2, dim=1)
        padded = functional.pad(picture, (2, 2, 2, 2), mode="replicate")
        return functional.conv2d(padded, self.bicubic.to(picture.dtype), groups=3)

    def forward(self, picture: Tensor) -> Tensor:
        # The skip stays in full precision: only the small correction is rounded to bf16,
        # which is what keeps reduced precision free of colour shifts.
        correction = self.correction(picture.to(self.precision))
        return functional.pixel_shuffle(self.enlargement(picture) + correction.to(picture.dtype), self.shape.scale)


def initialised(shape: CompactShape) -> CompactNetwork:
    """A network to be trained: starts as exactly the plain enlargement, and as a near-identity inside.

    The identity in each kernel does what residual connections do for deep stacks, without
    leaving the plain layout.
    """
    network = CompactNetwork(shape)
    convolutions = [layer for layer in network.body if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        nn.init.kaiming_normal_(layer.weight, a=0.25)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    with torch.no_grad():
        for layer in convolutions[1:-1]:
            identity = nn.init.dirac_(torch.empty_like(layer.weight))
            layer.weight.mul_(0.4).add_(identity * 0.8)
        convolutions[-1].weight.mul_(0.02)
    return network
