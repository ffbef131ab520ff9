"""Classifier-free guidance for models that it would burn out.

A model trained down to no signal at all (zero terminal SNR) gets its brightness from the first steps, and a high cfg
multiplies that too. Two remedies, which diffusers has in part, and only for text to image:

- the guided prediction is scaled back towards the deviation of the prediction with the prompt (Lin et al., "Common
  Diffusion Noise Schedules and Sample Steps are Flawed", section 3.4);
- late steps, which only finish what the early ones decided, go without guidance, which would overdraw every grain
  (Kynkäänniemi et al., "Applying Guidance in a Limited Interval Improves Sample and Distribution Quality").

What a model needs stands in ``guidance.json`` in its folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch

FILE: Final = "guidance.json"


@dataclass(frozen=True, slots=True)
class Guidance:
    """How a model is guided; the defaults are plain guidance.

    Attributes:
        rescale: share (0..1) of the rescaled prediction; the rest is the plain one.
        least_time: noise time (of the schedule, most often 0..999) below which the prompted prediction is taken as it
            is.
    """

    rescale: float = 0.0
    least_time: int = 0

    def save(self, folder: Path) -> None:
        """Write :data:`FILE`."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=2) + "\n")


def guidance_of(folder: Path, schedule: Mapping[str, Any]) -> Guidance:
    """Return what the model's folder says or, where it says nothing (or is none), what its schedule needs."""
    path = folder / FILE
    if path.is_file():
        return Guidance(**json.loads(path.read_text()))
    return Guidance(rescale=0.7) if schedule.get("rescale_betas_zero_snr") else Guidance()


@contextmanager
def guided(unet: torch.nn.Module, cfg: float, guidance: Guidance) -> Iterator[None]:
    """While inside, a pipeline that guides with ``unet`` at ``cfg`` does it in this way.

    A pipeline sends a doubled batch (without the prompt, with it) and blends the two halves of the answer linearly. If
    both halves are the wanted prediction, so is every blend. Below ``least_time`` the first half is not computed at
    all: half the work.
    """

    def halve(_: torch.nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if float(arguments[1]) >= guidance.least_time:
            return None
        latents, *others = arguments
        cut = {name: value.chunk(2)[1] if isinstance(value, torch.Tensor) else value for name, value in named.items()}
        return (latents.chunk(2)[1], *others), cut

    def guide(_: torch.nn.Module, arguments: tuple[Any, ...], output: Any) -> Any:
        prediction: torch.Tensor = output[0]
        if float(arguments[1]) < guidance.least_time:
            return (torch.cat([prediction, prediction]),)
        without, prompted = prediction.chunk(2)
        plain = without + cfg * (prompted - without)
        axes = tuple(range(1, plain.ndim))
        scaled = plain * (prompted.std(axes, keepdim=True) / plain.std(axes, keepdim=True))
        wanted = guidance.rescale * scaled + (1.0 - guidance.rescale) * plain
        return (torch.cat([wanted, wanted]),)

    if cfg <= 1.0 or guidance == Guidance():  # up to 1 there is no second half
        yield
        return
    hooks = (unet.register_forward_pre_hook(halve, with_kwargs=True), unet.register_forward_hook(guide))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
