"""Back-projection keeps means where clipping moves them, and looks no farther than it says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from local_dream_reference.upscaling.architecture import build
from local_dream_reference.upscaling.back_projection import REACH, BackProjected
from local_dream_reference.upscaling.weights_file import WeightsFile
from tests.reference_engine.upscaling.weights import compact_weights


class _Repeated(nn.Module):
    """Every pixel four by four times, with its differences from its neighbours enlarged or removed."""

    def __init__(self, contrast: float) -> None:
        super().__init__()
        self.contrast = contrast

    def forward(self, picture: Tensor) -> Tensor:
        around = functional.avg_pool2d(functional.pad(picture, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        return functional.interpolate(around + (picture - around) * self.contrast, scale_factor=4, mode="nearest")


def test_the_mean_of_a_page_hardly_moves() -> None:
    """Ink on grey paper: sharpened, the ink would have to be blacker than black."""
    ink = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(2)) < 0.15
    page, network = torch.where(ink, 0.1, 0.6), _Repeated(1.8)

    def shift(large: Tensor) -> float:
        return float((large.clamp(0, 1).mean((2, 3)) - page.mean((2, 3))).abs().max()) * 255

    assert shift(network(page)) > 2
    assert shift(BackProjected(network)(page)) < shift(network(page)) / 4


def test_noise_that_the_network_removed_stays_away() -> None:
    noise = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0)) * 0.2 - 0.1
    network = _Repeated(0)
    returned = BackProjected(network)(0.5 + noise) - network(0.5 + noise)
    assert returned.std() < noise.std() / 5


def test_a_network_that_errs_nowhere_is_left_alone() -> None:
    flat = torch.tensor([0.0, 0.3, 1.0])[None, :, None, None].expand(1, 3, 6, 5)
    torch.testing.assert_close(BackProjected(_Repeated(1))(flat), _Repeated(1)(flat))


def test_it_looks_exactly_as_far_as_it_says() -> None:
    network = BackProjected(_Repeated(1))
    picture = torch.full((1, 3, 21, 21), 0.5)
    spot = picture.clone()
    spot[:, :, 10, 10] = 0.9
    moved = (network(spot) - network(picture)).abs().amax((0, 1, 3)).reshape(21, 4).amax(1) > 1e-7
    assert moved.nonzero().flatten().tolist() == list(range(10 - REACH, 10 + REACH + 1))


@pytest.mark.parametrize(("header", "projected"), [({"skip": "bicubic"}, True), ({}, False)])
def test_only_our_own_networks_are_projected(header: dict[str, str], projected: bool) -> None:
    built = build(WeightsFile(compact_weights(convolutions=2), header), torch.float32)
    assert isinstance(built.network, BackProjected) is projected
    assert built.margin == 4 + (REACH if projected else 0)
