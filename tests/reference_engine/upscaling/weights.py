"""Small random weights files in the layouts that third parties publish."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

Weights = dict[str, Tensor]


def _convolution(weights: Weights, name: str, inputs: int, outputs: int, generator: torch.Generator) -> None:
    spread = (inputs * 9) ** -0.5
    weights[f"{name}.weight"] = torch.randn(outputs, inputs, 3, 3, generator=generator) * spread
    weights[f"{name}.bias"] = torch.randn(outputs, generator=generator) * 0.01


def compact_weights(
    features: int = 8, convolutions: int = 2, scale: int = 4, activation: str = "prelu", seed: int = 0
) -> Weights:
    """The SRVGGNetCompact key layout."""
    generator = torch.Generator().manual_seed(seed)
    weights: Weights = {}
    for index in range(convolutions + 1):
        _convolution(weights, f"body.{index * 2}", 3 if index == 0 else features, features, generator)
        if activation == "prelu":
            weights[f"body.{index * 2 + 1}.weight"] = torch.full((features,), 0.2)
    _convolution(weights, f"body.{convolutions * 2 + 2}", features, 3 * scale * scale, generator)
    return weights


def rrdb_weights(
    features: int = 8, blocks: int = 1, growth: int = 4, inputs: int = 3, seed: int = 0, doublings: int = 2
) -> Weights:
    """The RRDBNet key layout."""
    generator = torch.Generator().manual_seed(seed)
    weights: Weights = {}
    _convolution(weights, "conv_first", inputs, features, generator)
    for block in range(blocks):
        for dense in range(1, 4):
            for step in range(1, 6):
                outputs = features if step == 5 else growth
                name = f"body.{block}.rdb{dense}.conv{step}"
                _convolution(weights, name, features + (step - 1) * growth, outputs, generator)
    ups = [f"conv_up{number}" for number in range(1, doublings + 1)]
    for name in ("conv_body", *ups, "conv_hr"):
        _convolution(weights, name, features, features, generator)
    _convolution(weights, "conv_last", features, 3, generator)
    return weights


def as_esrgan(weights: Weights) -> Weights:
    """The same under the keys of the first ESRGAN code, whose layers are numbered, upscaling layers among them."""
    blocks = len({key.split(".")[1] for key in weights if key.startswith("body.")})
    ups = sorted({key.split(".")[0] for key in weights if key.startswith("conv_up")})
    after = 3 * len(ups)
    numbers = {
        "conv_first": "0",
        "conv_body": f"1.sub.{blocks}",
        "conv_hr": f"{after + 2}",
        "conv_last": f"{after + 4}",
    }
    numbers |= {name: str(3 * number) for number, name in enumerate(ups, 1)}
    renamed = {}
    for key, value in weights.items():
        if match := re.fullmatch(r"body\.(\d+)\.rdb(\d)\.conv(\d)\.(.*)", key):
            renamed[f"model.1.sub.{match[1]}.RDB{match[2]}.conv{match[3]}.0.{match[4]}"] = value
        else:
            layer, _, kind = key.rpartition(".")
            renamed[f"model.{numbers[layer]}.{kind}"] = value
    return renamed


def as_trunk(weights: Weights) -> Weights:
    """The same under the keys of the code between the two."""
    names = {"conv_body": "trunk_conv", "conv_hr": "HRconv", "conv_up1": "upconv1", "conv_up2": "upconv2"}
    renamed = {}
    for key, value in weights.items():
        key = re.sub(r"^body\.(\d+)\.rdb", r"RRDB_trunk.\1.RDB", key)
        layer, dot, kind = key.rpartition(".")
        renamed[f"{names.get(layer, layer)}{dot}{kind}"] = value
    return renamed


def write(path: Path, weights: Weights, wrapper: str | None = None, header: dict[str, str] | None = None) -> Path:
    """Write ``.safetensors`` or ``.pth`` by the path's suffix, a ``.pth`` optionally under a wrapper key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(weights, path, metadata=header)
    else:
        torch.save(weights if wrapper is None else {wrapper: weights}, path)
    return path
