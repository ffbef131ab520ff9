"""Does a converted model make the picture that PyTorch makes, at the size that it was made for?

Networks that are right one by one and at one size need not be so in a row: OpenVINO 2026.4 computed attention wrongly
at 512x512 once it had run at 64x64.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from local_dream_reference.checkpoint import repaints_only
from local_dream_reference.errors import NotFinite
from local_dream_reference.guidance import Guidance
from local_dream_reference.pipelines import Pipelines
from local_dream_reference.runtime.converted_model import ConvertedModel
from local_dream_reference.trial_request import trial_request

SMALL: Final = 64
"""Side in pixels of the picture that comes before, as at every start of the engine."""
STEPS: Final = 4
LEAST: Final = 25.0
"""PSNR in dB; bfloat16 gives more than 40, another picture less than 15."""


def compare_pictures(pipeline: Any, converted: ConvertedModel) -> None:
    """Put the converted networks into ``pipeline``, which runs on PyTorch in float32. Raises ValueError."""
    side = int(pipeline.unet.config.sample_size or 64) * pipeline.vae_scale_factor
    expected = _picture(pipeline, side)
    converted.put_into(pipeline)
    try:
        _picture(pipeline, SMALL)
        found = _picture(pipeline, side)
    except NotFinite as error:
        raise ValueError(f"its picture at {side}x{side} has values that are not finite numbers") from error
    if (seen := psnr(found, expected)) < LEAST:
        raise ValueError(f"its picture at {side}x{side} is not PyTorch's (PSNR {seen:.1f} dB)")


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """In dB; infinite if they are equal."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return 10 * float(np.log10(255**2 / error)) if error else float("inf")


def _picture(pipeline: Any, side: int) -> NDArray[np.uint8]:
    request = trial_request(side, STEPS, repaints_only(pipeline))
    return Pipelines(pipeline, Guidance()).run(request, lambda number, decode: None)
