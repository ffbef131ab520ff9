"""Number formats: which one a device is fast in, and running parts of a pipeline in it."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn

from local_dream_reference.errors import UnusableModel
from local_dream_reference.upscaling.precision import convolution_precision

DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(name: str) -> torch.device:
    """Return the device that ``auto``, ``cpu``, ``cuda`` or ``mps`` means here. Raises UnusableModel."""
    if name not in ("auto", "cpu", "cuda", "mps"):
        raise UnusableModel(f"device {name!r}: use auto, cpu, cuda or mps")
    if name == "cuda" and not torch.cuda.is_available():
        raise UnusableModel("device 'cuda': there is no CUDA device here; use auto or cpu")
    if name == "mps" and not torch.backends.mps.is_available():
        raise UnusableModel("device 'mps': this is no Mac whose GPU can be used; use auto or cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    return torch.device(name)


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """Return the format that ``auto`` or a name of :data:`DTYPES` means on the device. Raises UnusableModel."""
    if name == "auto":
        return convolution_precision(device)
    if name not in DTYPES:
        raise UnusableModel(f"dtype {name!r}: use auto, {', '.join(DTYPES)}")
    if name == "float16" and device.type == "cpu":
        raise UnusableModel("dtype 'float16': too slow on a CPU; use auto, bfloat16 or float32")
    return DTYPES[name]


def run_in(module: nn.Module, dtype: torch.dtype) -> None:
    """Let ``module`` compute in ``dtype`` while everything around it stays in float32.

    Latents that were rounded to 8 bits of mantissa after every step would drift; rounding inside one network call
    does not add up.
    """
    module.to(dtype)
    if dtype is torch.float32:
        return
    module.register_forward_pre_hook(lambda _, args, kwargs: _cast((args, kwargs), dtype), with_kwargs=True)
    module.register_forward_hook(lambda _, __, output: _cast(output, torch.float32))


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """Cast every floating tensor in nested tuples, dicts and model outputs, but single numbers: a noise time of 950.5
    would become 952.
    """
    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.is_floating_point() and value.ndim else value
    if isinstance(value, tuple | list):
        return type(value)(_cast(item, dtype) for item in value)
    if isinstance(value, dict):
        for key in list(value):
            value[key] = _cast(value[key], dtype)
    return value
