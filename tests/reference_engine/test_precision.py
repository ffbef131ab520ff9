"""Networks in bfloat16 amid float32."""

from __future__ import annotations

import torch
from torch import nn

from local_dream_reference.precision import run_in


class Seen(nn.Module):
    """Remembers what reaches it, and gives the sample back."""

    def __init__(self) -> None:
        super().__init__()
        self.sample_kind: torch.dtype | None = None
        self.time = 0.0

    def forward(self, sample: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        self.sample_kind, self.time = sample.dtype, float(time)
        return sample


def test_latents_are_cast_on_the_way_in_and_back_and_noise_times_are_not() -> None:
    module = Seen()
    run_in(module, torch.bfloat16)
    answer = module(torch.zeros(1, 4, 2, 2), torch.tensor(950.5))
    assert module.sample_kind is torch.bfloat16
    assert answer.dtype is torch.float32
    assert module.time == 950.5
