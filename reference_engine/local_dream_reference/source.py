"""What a model's name can mean, told before torch is loaded: a wrong path should not take seconds to be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from local_dream_reference.errors import UnusableModel
from local_dream_reference.shipped import folder_of

SERVED: Final = ("StableDiffusionPipeline", "StableDiffusionInpaintPipeline", "StableDiffusionImg2ImgPipeline")
"""Kinds of pipelines whose networks can be served. An inpainting model is refused later, by its UNet."""


def find_source(model: str) -> Path | None:
    """The folder or file that a model's name means; None for a name on the Hub. Raises UnusableModel."""
    path = folder_of(model)
    if path.is_dir():
        index = path / "model_index.json"
        if not index.is_file():
            raise UnusableModel(f"model {model!r}: the folder has no model_index.json; give a diffusers folder")
        check_kind(_kind(index), model)
        return path
    if path.is_file():
        if path.suffix.lower() != ".safetensors":
            raise UnusableModel(f"model {model!r}: only .safetensors files are loaded; convert it first")
        return path
    if model.count("/") == 1 and not model.startswith(("/", ".", "~")):
        return None
    raise UnusableModel(f"model {model!r}: no such folder or file")


def check_kind(kind: str, model: str) -> None:
    """Raises UnusableModel for a pipeline that is none of :data:`SERVED`."""
    if kind not in SERVED:
        raise UnusableModel(f"model {model!r} is a {kind}: only Stable Diffusion 1.x/2.x style models are served")


def _kind(index: Path) -> str:
    """The pipeline's class; the usual one where a damaged file will be refused by whoever loads it."""
    try:
        return str(json.loads(index.read_text(encoding="utf-8"))["_class_name"])
    except (ValueError, LookupError, TypeError):
        return SERVED[0]
