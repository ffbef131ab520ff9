"""Third parties' key layouts build the networks that they mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from local_dream_reference.upscaling.architecture import build, checked_name
from local_dream_reference.upscaling.compact_network import CompactNetwork, CompactShape, initialised
from local_dream_reference.upscaling.errors import UnusableWeights
from local_dream_reference.upscaling.rrdb_network import RrdbNetwork, RrdbShape
from local_dream_reference.upscaling.weights_file import WeightsFile, read_weights
from tests.reference_engine.upscaling.weights import Weights, as_esrgan, as_trunk, compact_weights, rrdb_weights, write


def _built(weights: Weights, header: dict[str, str] | None = None) -> nn.Module:
    return build(WeightsFile(weights, header or {}), torch.float32).network


@pytest.fixture
def picture() -> Tensor:
    return torch.rand(1, 3, 7, 5, generator=torch.Generator().manual_seed(3))


def _convolved(weights: Weights, name: str, value: Tensor) -> Tensor:
    return functional.conv2d(value, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)


def test_compact_layout_computes_what_it_says(picture: Tensor) -> None:
    weights = compact_weights(convolutions=1)
    value = functional.prelu(_convolved(weights, "body.0", picture), weights["body.1.weight"])
    value = functional.prelu(_convolved(weights, "body.2", value), weights["body.3.weight"])
    value = functional.pixel_shuffle(_convolved(weights, "body.4", value), 4)
    expected = value + functional.interpolate(picture, scale_factor=4, mode="nearest")
    torch.testing.assert_close(_built(weights)(picture), expected)


def test_rrdb_layout_computes_what_it_says(picture: Tensor) -> None:
    weights = rrdb_weights(blocks=2)

    def dense(name: str, value: Tensor) -> Tensor:
        seen = [value]
        for step in range(1, 5):
            seen.append(functional.leaky_relu(_convolved(weights, f"{name}.conv{step}", torch.cat(seen, 1)), 0.2))
        return value + 0.2 * _convolved(weights, f"{name}.conv5", torch.cat(seen, 1))

    first = value = _convolved(weights, "conv_first", picture)
    for block in range(2):
        inner = value
        for number in range(1, 4):
            inner = dense(f"body.{block}.rdb{number}", inner)
        value = value + 0.2 * inner
    value = first + _convolved(weights, "conv_body", value)
    for name in ("conv_up1", "conv_up2"):
        value = functional.leaky_relu(
            _convolved(weights, name, value.repeat_interleave(2, 2).repeat_interleave(2, 3)), 0.2
        )
    expected = _convolved(weights, "conv_last", functional.leaky_relu(_convolved(weights, "conv_hr", value), 0.2))
    torch.testing.assert_close(_built(weights)(picture), expected, rtol=1e-4, atol=1e-5)


def test_bicubic_skip_is_pillows_bicubic() -> None:
    # Contrast so low that Pillow does not clip between its two passes.
    small = np.random.default_rng(0).integers(96, 160, (9, 11, 3), np.uint8)
    network = CompactNetwork(CompactShape(4, 1, skip="bicubic"))
    tensor = torch.tensor(small).permute(2, 0, 1)[None].float()
    got = functional.pixel_shuffle(network.enlargement(tensor), 4)[0].permute(1, 2, 0)
    expected = np.asarray(Image.fromarray(small).resize((44, 36), Image.Resampling.BICUBIC), np.float32)
    # Pillow renormalises its taps at the border where we repeat the border pixel: compare the inside.
    inside = np.s_[8:-8, 8:-8]
    assert np.abs(got.clamp(0, 255).numpy() - expected)[inside].max() < 1.5


def test_a_network_to_be_trained_starts_close_to_the_plain_enlargement(picture: Tensor) -> None:
    torch.manual_seed(0)
    network = initialised(CompactShape(16, 4, skip="bicubic"))
    plain = functional.pixel_shuffle(network.enlargement(picture), 4)
    assert (network(picture) - plain).abs().max() < 0.05


def test_reduced_precision_moves_no_pixel_by_more_than_a_step(picture: Tensor) -> None:
    weights = {key: value * 0.3 if key.startswith("body.4") else value for key, value in compact_weights().items()}
    file = WeightsFile(weights, {"skip": "bicubic"})
    exact, fast = (build(file, precision).network(picture) for precision in (torch.float32, torch.bfloat16))
    assert fast.dtype == torch.float32
    assert (exact - fast).abs().max() < 1 / 255


@pytest.mark.parametrize(
    ("weights", "name"),
    [
        (compact_weights(8, 2), "compact 8x2"),
        (compact_weights(8, 2, activation="relu"), "compact 8x2"),
        (rrdb_weights(8, 1), "rrdb 8x1"),
        (as_esrgan(rrdb_weights(8, 2)), "rrdb 8x2"),
        (as_trunk(rrdb_weights(8, 2)), "rrdb 8x2"),
        (compact_weights(8, 2, scale=2), "compact 8x2, x2 twice"),
        (compact_weights(8, 2, scale=8), "compact 8x2, x8 halved"),
        (rrdb_weights(8, 1, inputs=12), "rrdb 8x1, x2 twice"),
        (as_esrgan(rrdb_weights(8, 1, doublings=1)), "rrdb 8x1, x2 twice"),
        (as_esrgan(rrdb_weights(8, 1, doublings=3)), "rrdb 8x1, x8 halved"),
    ],
)
def test_architecture_is_told_from_the_weights(tmp_path: Path, weights: Weights, name: str) -> None:
    for suffix in (".pth", ".safetensors"):
        assert checked_name(read_weights(write(tmp_path / f"a{suffix}", weights))) == name


@pytest.mark.parametrize("older", [as_esrgan, as_trunk])
def test_older_names_are_the_same_network(older: Callable[[Weights], Weights], picture: Tensor, tmp_path: Path) -> None:
    weights = rrdb_weights(8, 2)
    file = read_weights(write(tmp_path / "old.pth", older(weights)))
    assert set(file.weights) == set(weights)
    assert torch.equal(build(file, torch.float32).network(picture), _built(weights)(picture))


def test_a_network_that_doubles_is_applied_twice(picture: Tensor) -> None:
    weights = compact_weights(scale=2)
    once = CompactNetwork(CompactShape(8, 2, scale=2))
    once.load_state_dict(weights)
    with torch.no_grad():
        expected = once(once(picture).clamp(0, 1))
    assert expected.shape[-2:] == (4 * picture.shape[-2], 4 * picture.shape[-1])
    assert torch.allclose(_built(weights)(picture), expected, atol=1e-6)


def test_a_network_that_enlarges_by_8_is_halved(picture: Tensor) -> None:
    weights = {
        key: value * 0.1 if key.startswith("body.4") else value for key, value in compact_weights(scale=8).items()
    }
    plain = {key: torch.zeros_like(value) if key.startswith("body.4") else value for key, value in weights.items()}
    # With nothing added to it, the nearest enlargement by 8 halves to the nearest one by 4, but for the filter's reach.
    nearest = picture.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert (_built(plain)(picture) - nearest).abs().mean() < 0.05
    assert _built(weights)(picture).shape == nearest.shape
    assert not torch.equal(_built(weights)(picture), _built(plain)(picture))


@pytest.mark.parametrize(("height", "width"), [(6, 8), (5, 7), (1, 1)])
def test_pixels_are_folded_as_in_real_esrgans_x2(height: int, width: int) -> None:
    weights = rrdb_weights(inputs=12)
    single = _single(weights, RrdbShape(8, 1, 4, 2, 2))
    picture = torch.rand((1, 3, height, width), generator=torch.Generator().manual_seed(2))
    large = single(picture)
    assert large.shape == (1, 3, 2 * height, 2 * width)
    if height % 2 == 0:  # what the code that trained them does: pixels unshuffled, then a network that enlarges by 4
        cells = functional.pixel_unshuffle(picture, 2)
        value = single.conv_first(cells)
        value = value + single.conv_body(single.body(value))
        for name in ("conv_up1", "conv_up2"):
            value = functional.interpolate(value, scale_factor=2, mode="nearest")
            value = functional.leaky_relu(single.get_submodule(name)(value), 0.2)
        expected = single.conv_last(functional.leaky_relu(single.conv_hr(value), 0.2))
        assert torch.allclose(large, expected, atol=1e-5)


def _single(weights: Weights, shape: RrdbShape) -> RrdbNetwork:
    network = RrdbNetwork(shape)
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)


def _without(weights: Weights, key: str) -> Weights:
    return {name: value for name, value in weights.items() if name != key}


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (compact_weights(scale=1), r"does not enlarge \(1x\)"),
        (compact_weights(scale=3), "enlarges by 3: only 4 can be used, 2"),
        (compact_weights(scale=6), "enlarges by 6"),
        (rrdb_weights(doublings=0), r"does not enlarge \(1x\)"),
        (rrdb_weights(inputs=48), r"does not enlarge \(1x\)"),
        (rrdb_weights(doublings=4), "enlarges by 16"),
        (rrdb_weights(inputs=4), "takes 4 channels"),
        ({"anything": torch.ones(3)}, "is neither a compact nor an RRDB network"),
        ({"conv_first.weight": torch.ones(8, 3, 3, 3)}, "is neither a compact nor an RRDB network"),
        (_without(compact_weights(), "body.2.bias"), r"lacks body\.2\.bias"),
        (_without(rrdb_weights(), "conv_hr.weight"), r"lacks conv_hr\.weight"),
        ({**compact_weights(), "surplus": torch.ones(1)}, "has surplus, which"),
        ({**rrdb_weights(), "conv_hr.weight": torch.ones(8, 8, 1, 1)}, r"has conv_hr\.weight in the wrong shape"),
        (compact_weights(features=600), "is too large"),
    ],
)
def test_weights_of_other_networks_are_refused(weights: Weights, reason: str) -> None:
    with pytest.raises(UnusableWeights, match=reason):
        _built(weights)
