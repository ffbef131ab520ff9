"""Weights files read safely: ``.safetensors``, and ``.pth``/``.pt`` without executing anything.

A ``.pth`` file is a pickle, and a pickle can run any code when it is loaded. PyTorch's
restricted reader (``weights_only=True``) builds tensors and plain containers only and
refuses the rest, and so do we.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from local_dream_reference.upscaling.errors import UnusableWeights
from local_dream_reference.upscaling.esrgan_keys import renamed

SUFFIXES = (".safetensors", ".pth", ".pt")

_WRAPPERS = ("params_ema", "params", "state_dict")
"""Keys under which trainers put the weights; the averaged ones come first, as they are better."""


@dataclass(frozen=True)
class WeightsFile:
    """The content of a weights file."""

    weights: dict[str, Tensor]
    """Key to tensor on the CPU, float32 (tables of places in other architectures: whole numbers), all values finite;
    older ESRGAN files under their present keys."""
    header: dict[str, str]
    """The free-form header of a safetensors file; empty for other kinds."""


def read_weights(path: Path) -> WeightsFile:
    """Read a weights file. Raises UnusableWeights, whose message names the file and the reason."""
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        content, header = _read_safetensors(path)
    elif suffix in SUFFIXES:
        content, header = _read_pickle(path), {}
    else:
        raise UnusableWeights(f"{path.name}: expected one of {', '.join(SUFFIXES)}")
    return WeightsFile(renamed(_checked(path, content)), header)


def _read_safetensors(path: Path) -> tuple[object, dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as opened:
            weights = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 - not a mapping
            return weights, dict(opened.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise UnusableWeights(f"{path.name}: not a readable safetensors file ({_first_line(error)})") from error


def _read_pickle(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnusableWeights(f"{path.name}: is damaged or holds more than weights, so it is not loaded") from error
    # A damaged pickle or archive can fail in any way that its reader can.
    except Exception as error:
        raise UnusableWeights(f"{path.name}: not a readable PyTorch file ({_first_line(error)})") from error


def _checked(path: Path, content: object) -> dict[str, Tensor]:
    if isinstance(content, dict):
        for wrapper in _WRAPPERS:
            if isinstance(content.get(wrapper), dict):
                content = content[wrapper]
                break
    if not isinstance(content, dict) or not content:
        raise UnusableWeights(f"{path.name}: holds no weights")
    weights: dict[str, Tensor] = {}
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise UnusableWeights(f"{path.name}: holds something that is not a named tensor")
        if value.layout is not torch.strided or value.is_complex() or value.is_quantized:
            raise UnusableWeights(f"{path.name}: {key} is not a dense tensor of real numbers")
        kept = value.float() if value.is_floating_point() else value
        if not bool(torch.isfinite(kept).all()):
            raise UnusableWeights(f"{path.name}: {key} has values that are not finite")
        weights[key.removeprefix("module.")] = kept
    return weights


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:120] if text else type(error).__name__
