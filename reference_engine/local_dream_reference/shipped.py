"""The models that come with the project, in a distribution of their own: local-dream-models."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from local_dream_reference.errors import UnusableModel


def _models() -> Path:
    """The folder of the distribution local-dream-models; one that is not there where that is not installed."""
    found = find_spec("local_dream_models")
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) if places else Path(__file__).parent / "models"


MODELS: Final = _models()
SHIPPED: Final = MODELS / "text_to_image"
"""The folder of the text-to-image model."""

SHAPES: Final = MODELS / "stable_diffusion"
"""The folder of what single files do not say about themselves."""

DEFAULT: Final = "default"
"""Its name."""


def folder_of(model: str) -> Path:
    """The path that a model's name may be; for the shipped one its folder. Raises UnusableModel if that is missing."""
    if model != DEFAULT:
        return Path(model)
    if not SHIPPED.is_dir():
        raise UnusableModel(
            "the shipped model is not installed: in a clone of the project, pip install '.[reference]'"
            " ./reference_engine/models (40 MB); or name another with --model PATH (a diffusers folder, a .safetensors"
            " file or a Hub id), or only enlarge pictures with --no-generate"
        )
    return SHIPPED
