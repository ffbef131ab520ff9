"""The samplers of the API, built from whatever schedule a model was trained with.

``dpm`` is DPM-Solver++ (2M), ``dpm_sde`` its stochastic sibling, ``euler`` and ``euler_a`` Euler without and with
ancestral noise, ``lcm`` the sampler of latent consistency models; ``_karras`` spaces the noise levels as Karras et al.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
)


class Sampler(Protocol):
    """A diffusers scheduler that also remembers its latest guess of the finished picture."""

    @property
    def guess(self) -> torch.Tensor:
        """Latents (1, c, h, w) of the picture that the latest step was heading for."""


class Dpm(DPMSolverMultistepScheduler):  # type: ignore[misc]  # diffusers is not typed
    """Of second order, deterministic or stochastic."""

    def set_timesteps(self, num_inference_steps: int, device: Any = None, **others: Any) -> None:
        """Choose the noise times, no two of them equal: the solver divides by their distance.

        With as many steps as there are times, only trailing spacing names each once.
        """
        if num_inference_steps >= self.config.num_train_timesteps:
            self.register_to_config(timestep_spacing="trailing")
        super().set_timesteps(num_inference_steps, device, **others)

    @property
    def guess(self) -> torch.Tensor:
        """See :class:`Sampler`."""
        latents: torch.Tensor = self.model_outputs[-1]
        return latents


class _Guessing:
    """Keeps the guess that a scheduler's ``step`` gives under ``_guessed``."""

    _guessed = "pred_original_sample"

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
        step: Any = super().step  # type: ignore[misc]  # of the scheduler that this stands before
        output = step(model_output, timestep, sample, generator=generator, return_dict=True)
        self._guess: torch.Tensor = getattr(output, self._guessed)
        return output if return_dict else (output.prev_sample,)

    @property
    def guess(self) -> torch.Tensor:
        """See :class:`Sampler`."""
        return self._guess


class Euler(_Guessing, EulerDiscreteScheduler):  # type: ignore[misc]  # diffusers is not typed
    """Deterministic."""


class EulerAncestral(_Guessing, EulerAncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers is not typed
    """With ancestral noise."""


class EulerAncestralKarras(EulerAncestral):
    """The same at other noise levels, which diffusers' own cannot."""

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
        """Take the noise levels, and the times that belong to them, from the deterministic sampler."""
        super().set_timesteps(num_inference_steps, device)
        spaced = EulerDiscreteScheduler.from_config(self.config, use_karras_sigmas=True)
        spaced.set_timesteps(num_inference_steps, device)
        self.timesteps, self.sigmas = spaced.timesteps, spaced.sigmas


class Lcm(_Guessing, LCMScheduler):  # type: ignore[misc]  # diffusers is not typed
    """For few steps, as latent consistency models take them; for as many as are asked for all the same."""

    _guessed = "denoised"

    def set_timesteps(self, num_inference_steps: int, device: Any = None, **others: Any) -> None:
        """Choose among at least as many original steps as are to be taken."""
        original = max(self.config.original_inference_steps, num_inference_steps)
        super().set_timesteps(num_inference_steps, device, original_inference_steps=original, **others)


_DPM: Final = {"solver_order": 2, "solver_type": "midpoint"}
_KARRAS: Final = {"use_karras_sigmas": True}
SAMPLERS: Final[dict[str, tuple[Any, dict[str, Any]]]] = {
    # The solver's kind is what the name promises, not what the model's file happens to say.
    "dpm": (Dpm, {**_DPM, "algorithm_type": "dpmsolver++", "use_karras_sigmas": False}),
    "euler_a": (EulerAncestral, {}),
    "dpm_karras": (Dpm, {**_DPM, **_KARRAS, "algorithm_type": "dpmsolver++"}),
    "euler": (Euler, {"use_karras_sigmas": False}),
    "euler_karras": (Euler, _KARRAS),
    "euler_a_karras": (EulerAncestralKarras, {}),
    "lcm": (Lcm, {}),
    "dpm_sde": (Dpm, {**_DPM, "algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": False}),
    "dpm_sde_karras": (Dpm, {**_DPM, **_KARRAS, "algorithm_type": "sde-dpmsolver++"}),
}
"""Names to schedulers and what is set apart from the model's own configuration."""


def build_sampler(name: str, config: Any) -> Any:
    """Build the sampler ``name`` for a model whose own scheduler has ``config``: one of :data:`SAMPLERS`."""
    kind, settings = SAMPLERS[name]
    return kind.from_config(config, **settings)
