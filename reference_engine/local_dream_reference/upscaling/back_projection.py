"""An enlargement whose colours are, everywhere and on average, those of the picture it was made from.

Networks that restore edges draw beyond black and white; where that is clipped, pages of
black ink on white paper drift in their mean. So the enlargement is clipped, shrunk again,
and what it lacks is smoothed, enlarged and added: one step of iterative back-projection
(Irani and Peleg, 1991) of local means only. Without the smoothing, noise and JPEG blocks
that the network has removed would come back.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

_PASSES = 3
"""Box filters of 3x3 one after another: together close to a Gaussian of 1.4 small pixels."""

REACH = 2 + _PASSES + 2
"""How many small pixels farther each result then looks: the shrink, the smoothing, the enlargement."""


def _resampled(picture: Tensor, height: int, width: int) -> Tensor:
    """To another size with the antialiased bicubic filter (a = -0.5), which keeps local means."""
    return functional.interpolate(picture, (height, width), mode="bicubic", antialias=True)


def _smoothed(picture: Tensor) -> Tensor:
    picture = functional.pad(picture, (_PASSES,) * 4, mode="replicate")
    for _ in range(_PASSES):
        picture = functional.avg_pool2d(picture, 3, stride=1)
    return picture


class BackProjected(nn.Module):
    """A network and one step of back-projection after it.

    (n, 3, h, w) in 0..1 to (n, 3, 4h, 4w), float32; like the network's the result may overshoot.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        large: Tensor = self.network(picture).clamp(0, 1)
        lacking = picture - _resampled(large, *picture.shape[-2:])
        return large + _resampled(_smoothed(lacking), *large.shape[-2:])
