"""How a converted model's files are called."""

from __future__ import annotations

from typing import Final

UNET: Final = "unet"
DECODER: Final = "vae_decoder"
ENCODER: Final = "vae_encoder"
CONFIG: Final = "unet.json"
"""The UNet's configuration, from which the pipelines read its shapes."""
