"""A converted model as it lies in the cache. Made and read without PyTorch, while that is still being imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from local_dream_reference.runtime.compiled import CompiledNetwork, Numbers

UNET: Final = "unet"
DECODER: Final = "vae_decoder"
ENCODER: Final = "vae_encoder"
CONFIG: Final = "unet.json"
"""The UNet's configuration, from which the pipelines read its shapes."""


class ConvertedModel:
    """A folder of compiled networks."""

    def __init__(self, folder: Path, numbers: Numbers) -> None:
        self._config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        self._networks = {name: CompiledNetwork(folder / f"{name}.blob", numbers) for name in (UNET, DECODER, ENCODER)}

    def ready(self) -> None:
        """Read what every picture needs; the encoder waits until a picture is to be encoded. Raises RuntimeError."""
        for name in (UNET, DECODER):
            self._networks[name].ready()

    def put_into(self, pipeline: Any) -> None:
        """Replace the networks of a pipeline, whose UNet may be missing."""
        from local_dream_reference.runtime.networks import ConvertedCoder, ConvertedDenoiser

        pipeline.unet = ConvertedDenoiser(self._networks[UNET], self._config).eval()
        pipeline.vae.decoder = ConvertedCoder(self._networks[DECODER])
        pipeline.vae.encoder = ConvertedCoder(self._networks[ENCODER])
