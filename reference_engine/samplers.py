"""The two samplers of the API, built from whatever schedule a model was trained with."""

from __future__ import annotations

from typing import Any, Final, Protocol

import torch
from diffusers import DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler


class Sampler(Protocol):
    """A diffusers scheduler that also remembers its latest guess of the finished picture."""

    @property
    def guess(self) -> torch.Tensor:
        """Latents (1, c, h, w) of the picture that the latest step was heading for."""


class Dpm(DPMSolverMultistepScheduler):  # type: ignore[misc]  # diffusers is not typed
    """``dpm``: DPM-Solver++ (2M)."""

    @property
    def guess(self) -> torch.Tensor:
        """See :class:`Sampler`."""
        latents: torch.Tensor = self.model_outputs[-1]
        return latents


class EulerAncestral(EulerAncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers is not typed
    """``euler_a``: Euler with ancestral noise."""

    # The pipelines look for the name `generator` among the parameters; without it the noise would not follow the seed.
    def step(
        self,
        model_output: torch.Tensor,
        timestep: Any,
        sample: torch.Tensor,
        generator: torch.Generator | None = None,
        return_dict: bool = True,
    ) -> Any:
        """Take one step as diffusers does, and keep its guess."""
        output = super().step(model_output, timestep, sample, generator=generator, return_dict=True)
        self._guess: torch.Tensor = output.pred_original_sample
        return output if return_dict else (output.prev_sample,)

    @property
    def guess(self) -> torch.Tensor:
        """See :class:`Sampler`."""
        return self._guess


SAMPLERS: Final[dict[str, Any]] = {"dpm": Dpm, "euler_a": EulerAncestral}


def build_sampler(name: str, config: Any) -> Any:
    """Build the sampler ``name`` for a model whose own scheduler has ``config``: one of :data:`SAMPLERS`."""
    if name == "dpm":
        # The solver's kind is what the name promises, not what the model's file happens to say.
        return Dpm.from_config(config, algorithm_type="dpmsolver++", solver_order=2, solver_type="midpoint")
    return EulerAncestral.from_config(config)
