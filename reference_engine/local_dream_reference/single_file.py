"""What a .safetensors file holds, told from the names and shapes at its head: no weight is read, and no torch."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

LONGEST_HEAD: Final = 100 << 20
"""Bytes; the format's own limit."""
UNET: Final = "model.diffusion_model."
ATTENTION: Final = f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
"""Its second axis is the width of the text encoder's output."""
LATENTS: Final = f"{UNET}input_blocks.0.0.weight"
"""Its second axis is the number of channels that the UNet takes."""
WIDTHS: Final = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x"}
LARGER: Final = (
    ("conditioner.embedders.1.", "Stable Diffusion XL"),
    ("joint_blocks.", "Stable Diffusion 3"),
    ("double_blocks.", "FLUX"),
)
"""What names hold in files of other families, some of which have parts of the same names."""
OTHERS: Final = (
    ("lora_", "LoRA"),
    (".lora_", "LoRA"),
    ("emb_params", "textual inversion"),
    ("control_model.", "ControlNet"),
    ("RRDB_trunk.", "upscaler"),
    ("body.0.", "upscaler"),
    ("first_stage_model.", "VAE"),
    ("decoder.conv_in.", "VAE"),
)
"""The same in files that are no whole model; the first that fits counts."""


class NotSafetensors(ValueError):
    """The file is not of the format, or cut short."""


def kind_of(path: Path) -> str:
    """What the file is, such as "Stable Diffusion 1.x", with ", inpainting" where it is; "unknown" for all else.

    Raises NotSafetensors, OSError.
    """
    tensors = head_of(path)
    names = list(tensors)
    if kind := _marked(names, LARGER):
        return kind
    if any(name.startswith(UNET) for name in names):
        width = _axis(tensors, ATTENTION)
        latents = _axis(tensors, LATENTS)
        kind = WIDTHS.get(width, "Stable Diffusion 1.x or 2.x") if latents else "unknown"
        return f"{kind}, inpainting" if latents == 9 else kind
    return _marked(names, OTHERS) or "unknown"


def _marked(names: Sequence[str], marks: Sequence[tuple[str, str]]) -> str:
    return next((kind for mark, kind in marks if any(mark in name for name in names)), "")


def _axis(tensors: dict[str, Any], name: str) -> int:
    """The second axis of a tensor, 0 where there is none."""
    shape = tensors.get(name, {}).get("shape", ())
    return int(shape[1]) if len(shape) > 1 else 0


def head_of(path: Path) -> dict[str, Any]:
    """Names, types and shapes of the tensors. Raises NotSafetensors, OSError."""
    with path.open("rb") as file:
        first = file.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        if not 2 <= length <= min(LONGEST_HEAD, path.stat().st_size):
            raise NotSafetensors("it is not a .safetensors file, or not all of it is there")
        text = file.read(length)
    try:
        head = json.loads(text)
    except (ValueError, RecursionError):
        raise NotSafetensors("it is not a .safetensors file, or not all of it is there") from None
    if not isinstance(head, dict):
        raise NotSafetensors("it is not a .safetensors file")
    head.pop("__metadata__", None)
    if not all(_is_tensor(value) for value in head.values()):
        raise NotSafetensors("it is not a .safetensors file")
    if 8 + length + max((value["data_offsets"][1] for value in head.values()), default=0) > path.stat().st_size:
        raise NotSafetensors("not all of it is there: fetch it again")
    return head


def _is_tensor(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    numbers = value.get("data_offsets"), value.get("shape")
    return all(isinstance(one, list) and all(type(number) is int for number in one) for one in numbers) and (
        len(value["data_offsets"]) == 2
    )
