"""A moving average of a network's weights: the network that is shown, judged and exported."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Average:
    """Keeps ``average`` = decay * average + (1 - decay) * weights, with a fast start."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._updates = 0
        self._average = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take the model's present weights into the average."""
        self._updates += 1
        # Early weights are noise: the average forgets them quickly at first.
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        for name, value in model.state_dict().items():
            average = self._average[name]
            if average.is_floating_point():
                average.lerp_(value.detach().to(average.dtype), 1.0 - decay)

    def copy_to(self, model: nn.Module) -> None:
        """Overwrite the model's weights with the average."""
        model.load_state_dict(self._average)

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self._updates, "average": self._average}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        self._updates = state_dict["updates"]
        for name, value in state_dict["average"].items():
            self._average[name].copy_(value)
