"""Classifier-free guidance that keeps the contrast of the picture.

A model trained down to no signal at all (zero terminal SNR) gets its brightness from the first steps, and a high cfg
multiplies that too: pictures burn out. Scaling the guided prediction back towards the deviation of the prediction with
the prompt mends it (Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", section 3.4). diffusers
offers this for text to image alone; here it holds for all three pipelines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import torch

RESCALE: Final = 0.7
"""Share of the rescaled prediction; the rest is the plain one."""


def burns_out(schedule: Mapping[str, Any]) -> bool:
    """Tell whether a model with this scheduler configuration needs :func:`contrast_kept`."""
    return bool(schedule.get("rescale_betas_zero_snr"))


@contextmanager
def contrast_kept(unet: torch.nn.Module, cfg: float, share: float = RESCALE) -> Iterator[None]:
    """While inside, pipelines that guide with ``unet`` at ``cfg`` get predictions of kept contrast.

    A pipeline sends a doubled batch (without the prompt, with it) and blends the two halves of the answer linearly. If
    both halves are the wanted prediction, so is every blend.
    """

    def guide(_: torch.nn.Module, __: tuple[Any, ...], output: Any) -> Any:
        prediction: torch.Tensor = output[0]
        without, with_prompt = prediction.chunk(2)
        guided = without + cfg * (with_prompt - without)
        axes = tuple(range(1, guided.ndim))
        scaled = guided * (with_prompt.std(axes, keepdim=True) / guided.std(axes, keepdim=True))
        wanted = share * scaled + (1.0 - share) * guided
        return (torch.cat([wanted, wanted]),)

    if cfg <= 1.0:  # as in diffusers: no second half
        yield
        return
    hook = unet.register_forward_hook(guide)
    try:
        yield
    finally:
        hook.remove()
