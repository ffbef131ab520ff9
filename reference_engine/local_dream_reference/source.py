"""What a model's name can mean, told before torch is loaded: a wrong path should not take seconds to be refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from local_dream_reference.errors import UnusableModel
from local_dream_reference.shipped import folder_of
from local_dream_reference.single_file import NotSafetensors, kind_of

SERVED: Final = ("StableDiffusionPipeline", "StableDiffusionInpaintPipeline", "StableDiffusionImg2ImgPipeline")
"""Kinds of pipelines whose networks can be served."""
WEIGHTS: Final = ".safetensors"
CONVERT: Final = (
    "since others can run code; take the .safetensors of the same model, or have diffusers write them where it is "
    "trusted: save_pretrained(FOLDER, safe_serialization=True)"
)


def find_source(model: str) -> Path | None:
    """The folder or file that a model's name means; None for a name on the Hub. Raises UnusableModel."""
    path = folder_of(model)
    if path.is_dir():
        index = path / "model_index.json"
        if not index.is_file():
            raise UnusableModel(f"model {model!r}: the folder has no model_index.json; give a diffusers folder")
        check_kind(_kind(index), model)
        variant_of(path, model)
        return path
    if path.is_file():
        if path.suffix.lower() != WEIGHTS:
            raise UnusableModel(f"model {model!r}: only {WEIGHTS} files are loaded, {CONVERT}")
        check_file(path, model)
        return path
    if model.count("/") == 1 and not model.startswith(("/", ".", "~")):
        return None
    raise UnusableModel(f"model {model!r}: no such folder or file")


def variant_of(folder: Path, model: str) -> str | None:
    """The variant (such as fp16) whose weights the UNet's folder has, None for the plain ones. Raises UnusableModel."""
    names = [file.name for file in (folder / "unet").glob("*") if file.is_file()]
    found = [name for name in names if name.lower().endswith(WEIGHTS)]
    if not found and any(name.endswith(".bin") for name in names):
        raise UnusableModel(f"model {model!r}: its weights are .bin files; only {WEIGHTS} files are loaded, {CONVERT}")
    variants = {_variant(name) for name in found} or {None}
    return None if None in variants else min(filter(None, variants))


def _variant(name: str) -> str | None:
    """fp16 of model.fp16.safetensors and of model.fp16-00001-of-00002.safetensors; None of model.safetensors."""
    parts = name.split(".")[1:-1]
    return re.sub(r"-\d+-of-\d+$", "", parts[0]) if parts else None


def check_file(path: Path, model: str) -> None:
    """Raises UnusableModel where the file is cut short, or holds something else than a Stable Diffusion model."""
    try:
        kind = kind_of(path)
    except (NotSafetensors, OSError) as error:
        raise UnusableModel(f"model {model!r} cannot be loaded: {error}") from None
    if not kind.startswith(("Stable Diffusion 1.x", "Stable Diffusion 2.x")):
        what = "nothing that is known here" if kind == "unknown" else kind
        raise UnusableModel(f"model {model!r} holds {what}: only Stable Diffusion 1.x/2.x style models are served")


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
