"""The text-to-image model that comes with the project."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from reference_engine.errors import UnusableModel

SHIPPED: Final = Path(__file__).parent / "models" / "text_to_image"
"""Its folder."""

DEFAULT: Final = "default"
"""Its name."""


def folder_of(model: str) -> Path:
    """The path that a model's name may be; for the shipped one its folder. Raises UnusableModel if that is missing."""
    if model != DEFAULT:
        return Path(model)
    if not SHIPPED.is_dir():
        raise UnusableModel(
            "no model comes with this installation: name one with --model PATH (a diffusers folder, a .safetensors"
            " file or a Hub id), or only enlarge pictures with --no-generate"
        )
    return SHIPPED
