"""Whether this machine has the memory in which OpenVINO runs a model, told before anything is converted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local_dream_reference.machine import whole_memory
from local_dream_reference.runtime.conversion import ConversionFailed
from local_dream_reference.single_file import NotSafetensors, head_of
from local_dream_reference.variant import WEIGHTS

if TYPE_CHECKING:
    from local_dream_reference.runtime.compiled import Precision

TIMES: Final[dict[Precision, float]] = {"f32": 5.5, "bf16": 4.1}
"""Greatest memory, as a multiple of what the networks' values take in float32: with a checkpoint of Stable Diffusion
1.x (3.5 GiB) 19.1 and 14.0 GiB while the conversion is tried. PyTorch takes 5.7 for a picture of 512x512."""
SHARE: Final = 0.8
"""Of the machine's memory, that may be taken."""
TEXT_ENCODER: Final = "cond_stage_model."
"""Begins the names of what a single file holds beside the networks that are converted."""


def check_memory(files: Iterable[Path], precision: Precision) -> None:
    """Raises ConversionFailed where the networks in ``files`` need more than the machine has as a whole: what is free
    at a moment must not decide which runtime, and so which bytes, a model gets.
    """
    needed, there = TIMES[precision] * 4 * values(files), whole_memory()
    if needed > SHARE * there:
        raise ConversionFailed(
            f"it would take about {needed / 2**30:.1f} GiB of memory, and this machine has {there / 2**30:.1f}"
        )


def values(files: Iterable[Path]) -> int:
    """How many numbers the networks in the files have, those that a folder has in two variants once."""
    sizes: dict[tuple[Path, str], int] = {}
    for file in files:
        if file.suffix.lower() == WEIGHTS:
            sizes.update(((file.parent, name), math.prod(tensor["shape"])) for name, tensor in _head(file).items())
    return sum(size for (_, name), size in sizes.items() if not name.startswith(TEXT_ENCODER))


def _head(file: Path) -> dict[str, dict[str, list[int]]]:
    try:
        return head_of(file)
    except (NotSafetensors, OSError):  # loading it will say what is wrong
        return {}
