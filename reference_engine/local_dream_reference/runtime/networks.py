"""Converted networks in the places that diffusers gives them: a denoiser for ``unet``, coders for a ``vae``."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.configuration_utils import FrozenDict
from torch import Tensor, nn

from local_dream_reference.runtime.compiled import CompiledNetwork


class ConvertedDenoiser(nn.Module):
    """Stands where a ``UNet2DConditionModel`` stood; hooks work as with any module."""

    dtype = torch.float32
    device = torch.device("cpu")

    def __init__(self, network: CompiledNetwork, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = FrozenDict(config)
        self._network = network

    def forward(self, latents: Tensor, time: Tensor, encoder_hidden_states: Tensor, **others: Any) -> tuple[Tensor]:
        """Predict from latents (n, c, h, w), one noise time, and the text (n, tokens, width): (n, c, h, w)."""
        if any(value is not None for name, value in others.items() if name != "return_dict"):
            raise TypeError(f"a converted UNet takes no {', '.join(sorted(others))}")
        inputs = (latents, time.to(torch.float32), encoder_hidden_states)
        return (torch.from_numpy(self._network([each.contiguous().numpy() for each in inputs])),)


class ConvertedCoder(nn.Module):
    """Stands where the encoder or the decoder of an autoencoder stood."""

    def __init__(self, network: CompiledNetwork) -> None:
        super().__init__()
        self._network = network
        # By its tensors diffusers tells the type and the device of an autoencoder, which may have no others left.
        self.register_buffer("like", torch.empty(1), persistent=False)

    def forward(self, value: Tensor) -> Tensor:
        """One picture to its latents (or their moments), or back."""
        return torch.from_numpy(self._network([value.contiguous().numpy()]))
