"""Networks of other architectures: what is said without spandrel, and what is drawn with it (where it is installed)."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from local_dream_reference.upscaling import foreign_network
from local_dream_reference.upscaling.architecture import build, checked_name
from local_dream_reference.upscaling.catalogue import Catalogue
from local_dream_reference.upscaling.errors import UnusableWeights
from local_dream_reference.upscaling.upscaler import Upscaler
from local_dream_reference.upscaling.weights_file import WeightsFile, read_weights
from tests.reference_engine.upscaling.weights import write

ODD = WeightsFile({"anything": torch.ones(3)}, {})


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnusableWeights, match=r"neither a compact nor an RRDB network; with the extra spandrel"):
        checked_name(ODD)


def test_a_library_that_does_not_load_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_spandrel.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(foreign_network, "LIBRARY", "broken_spandrel")
    with pytest.raises(UnusableWeights, match=r"broken_spandrel cannot be imported \(operator torchvision::nms does"):
        build(ODD, torch.float32)


def _imports() -> bool:
    try:
        return bool(importlib.import_module("spandrel"))
    except Exception:  # a torchvision of another build raises RuntimeError
        return False


installed = pytest.mark.skipif(not _imports(), reason="spandrel is not installed, or its torchvision does not load")


def network(architecture: str, name: str, **shape: Any) -> nn.Module:
    torch.manual_seed(7)
    made: nn.Module = getattr(importlib.import_module(f"spandrel.architectures.{architecture}"), name)(**shape)
    return made.eval()


def span(scale: int = 4, channels: int = 3) -> nn.Module:
    return network("SPAN", "SPAN", num_in_ch=channels, num_out_ch=channels, feature_channels=8, upscale=scale)


def swin(scale: int = 4) -> nn.Module:
    """One that has tables of whole numbers, and sees pixels in squares of 8."""
    shape = {"img_size": 16, "window_size": 8, "depths": [2], "embed_dim": 12, "num_heads": [2], "mlp_ratio": 2}
    return network("SwinIR", "SwinIR", upscale=scale, upsampler="pixelshuffle", resi_connection="1conv", **shape)


@installed
@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize(
    ("made", "name"),
    [
        (span, "SPAN 8nf"),
        (lambda: span(2), "SPAN 8nf, x2 twice"),
        (lambda: span(8), "SPAN 8nf, x8 halved"),
        (swin, "SwinIR"),
    ],
    ids=["span", "span x2", "span x8", "swinir"],
)
def test_it_is_offered_by_name_and_draws(made: Callable[[], nn.Module], name: str, tmp_path: Path) -> None:
    write(tmp_path / "other.safetensors", {key: value.clone() for key, value in made().state_dict().items()})
    catalogue = Catalogue(tmp_path)
    offered = {model.name: model.architecture for model in catalogue.models()}
    assert offered["other"].startswith(name), catalogue.refused()
    picture = np.random.default_rng(3).integers(0, 256, (13, 21, 3), np.uint8)
    assert Upscaler(catalogue).upscale(picture, "other").shape == (52, 84, 3)


@installed
def test_a_picture_in_tiles_is_that_of_the_network_at_once(tmp_path: Path) -> None:
    own = span()
    write(tmp_path / "other.pth", own.state_dict())
    picture = np.random.default_rng(4).integers(0, 256, (150, 40, 3), np.uint8)
    with torch.inference_mode():
        whole = own(torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255)[0].clamp(0, 1)
    expected = (whole * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    drawn = Upscaler(Catalogue(tmp_path)).upscale(picture, "other", tile=64)
    assert np.abs(drawn.astype(int) - expected).max() <= 1


@installed
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: span(1), r"does not enlarge \(1x\)"),
        (lambda: span(3), "enlarges by 3"),
        (lambda: span(4, 1), "takes 1 channels"),
    ],
    ids=["x1", "x3", "grey"],
)
def test_what_cannot_be_used_is_refused(made: Callable[[], nn.Module], reason: str, tmp_path: Path) -> None:
    file = read_weights(write(tmp_path / "other.pth", made().state_dict()))
    with pytest.raises(UnusableWeights, match=reason):
        checked_name(file)


@installed
def test_damaged_weights_of_a_known_architecture_are_refused() -> None:
    weights = {key: value for key, value in span().state_dict().items() if "block_3" not in key}
    with pytest.raises(UnusableWeights, match=r"spandrel cannot load it \(.*block_3"):
        checked_name(WeightsFile(weights, {}))
