"""Compact networks in OpenVINO: the same numbers, and PyTorch where that cannot be."""

from __future__ import annotations

import logging
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from local_dream_reference.upscaling import compiled_body, precision
from local_dream_reference.upscaling.architecture import build
from local_dream_reference.upscaling.catalogue import Catalogue
from local_dream_reference.upscaling.compact_network import CompactNetwork
from local_dream_reference.upscaling.compiled_body import CompiledBody, compiled
from local_dream_reference.upscaling.upscaler import Upscaler, _tile
from local_dream_reference.upscaling.weights_file import WeightsFile
from tests.reference_engine.upscaling.weights import Weights, compact_weights

CPU = torch.device("cpu")
needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
needs_bfloat16 = pytest.mark.skipif(
    find_spec("openvino") is None or not precision.cpu_computes_bf16(),
    reason="this CPU does not compute bfloat16, or OpenVINO is not installed",
)


def network(weights: Weights, header: dict[str, str] | None = None) -> CompactNetwork:
    found = build(WeightsFile(weights, header or {}), torch.float32).network
    assert isinstance(found, CompactNetwork)
    return found


@needs_openvino
@pytest.mark.parametrize("activation", ["prelu", "relu", "leakyrelu"])
def test_it_computes_what_the_layers_compute(activation: str) -> None:
    exact = network(compact_weights(activation=activation), {"activation": activation})
    body = CompiledBody(exact.body, 1)
    for height, width in ((24, 40), (7, 9), (24, 40)):
        picture = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))
        with torch.inference_mode():
            torch.testing.assert_close(body(picture), exact.correction(picture), atol=0.02, rtol=0.02)


def test_pytorch_keeps_other_devices_and_other_precisions() -> None:
    body = network(compact_weights()).body
    assert compiled(body, torch.float32, CPU) is None
    assert compiled(body, torch.bfloat16, torch.device("cuda")) is None


@needs_openvino
@pytest.mark.parametrize("wrong", ["answers", "compiler"])
def test_what_openvino_cannot_is_one_line_and_pytorch_s(
    wrong: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("no\nkernel")

    if wrong == "answers":
        monkeypatch.setattr(CompiledBody, "forward", lambda _, picture: torch.zeros(1, 48, *picture.shape[-2:]))
    else:
        monkeypatch.setattr(compiled_body, "_graph", failing)
    with caplog.at_level(logging.WARNING):
        assert compiled(network(compact_weights()).body, torch.bfloat16, CPU) is None
    [record] = caplog.records
    assert record.getMessage().startswith("PyTorch runs the upscaler: ")
    assert "\n" not in record.getMessage()


@needs_bfloat16
def test_the_shipped_one_is_run_by_openvino_and_by_pytorch_if_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "bf16_gain", lambda: 2.0)  # whatever this CPU gains
    rng = np.random.default_rng(0)
    picture = np.repeat(np.repeat(rng.integers(0, 256, (9, 12, 3), np.uint8), 8, axis=0), 8, axis=1)
    pictures = []
    for asked in (True, False):
        upscaler = Upscaler(Catalogue(), compiled=asked)
        pictures.append(upscaler.upscale(picture, "default").astype(int))
        [built] = upscaler._loaded.values()
        assert any(isinstance(module, CompiledBody) for module in built.network.modules()) is asked
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.3


@pytest.mark.parametrize("width", [1, 60, 512, 4096])
@pytest.mark.parametrize("light", [True, False])
def test_tiles_have_bounded_areas(width: int, light: bool) -> None:
    height, across = _tile(width, light=light)
    assert across <= width
    most = 2**17 if light else 2**16
    assert most - across < height * across <= most
