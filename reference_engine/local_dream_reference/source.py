"""What a model's name can mean, told before torch is loaded: a wrong path should not take seconds to be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from local_dream_reference import found, hub
from local_dream_reference.errors import UnusableModel
from local_dream_reference.shipped import DEFAULT, folder_of
from local_dream_reference.single_file import WIDTHS, NotSafetensors, kind_of
from local_dream_reference.variant import CONVERT, WEIGHTS, variant_among

SERVED: Final = ("StableDiffusionPipeline", "StableDiffusionInpaintPipeline", "StableDiffusionImg2ImgPipeline")
"""Kinds of pipelines whose networks can be served."""


def resolved(model: str) -> str:
    """The path or Hub id that ``model`` means, which may be the name, or its beginning, of one that is found here.

    Raises UnusableModel where it is neither.
    """
    if model == DEFAULT or Path(model).exists() or hub.is_id(model) or "/" in model or "\\" in model or not model:
        return model
    models = found.completed(model)
    if len(models) > 1:
        listed = ", ".join(each.name for each in models[:8])
        raise UnusableModel(f"model {model!r}: several are called so: {listed}")
    if not models:
        raise UnusableModel(
            f"model {model!r}: no such folder or file, and none of that name is found here; `local-dream models` lists "
            f"those in ${found.PLACES} and in the Hub's cache"
        )
    return models[0].name if models[0].source in ("hub", "shipped") else str(models[0].path)


def find_source(model: str) -> Path | None:
    """The folder or file that a model's path or Hub id means; None for one that is to be fetched from the Hub.

    Raises UnusableModel.
    """
    path = folder_of(model)
    if not path.exists() and hub.is_id(model):
        cached = hub.cached(model)
        if cached is None:
            check_kind(hub.ask(model)[0], model)
            return None
        path = cached
    if path.is_dir():
        index = path / hub.INDEX
        if not index.is_file():
            raise UnusableModel(f"model {model!r}: the folder has no {hub.INDEX}; give a diffusers folder")
        check_kind(_kind(index), model)
        variant_of(path, model)
        return path
    if path.is_file():
        if path.suffix.lower() != WEIGHTS:
            raise UnusableModel(f"model {model!r}: only {WEIGHTS} files are loaded, {CONVERT}")
        check_file(path, model)
        return path
    raise UnusableModel(f"model {model!r}: no such folder or file")


def variant_of(folder: Path | None, model: str) -> str | None:
    """The variant of the weights in the UNet's folder, or of those on the Hub. Raises UnusableModel."""
    if folder is None:
        return variant_among(hub.ask(model)[1], model)
    return variant_among((file.name for file in (folder / "unet").glob("*") if file.is_file()), model)


def kind_at(path: Path) -> str:
    """What a folder or file of :func:`find_source` holds, such as "Stable Diffusion 1.x, inpainting"."""
    if path.is_file():
        return kind_of(path)
    try:
        unet = json.loads((path / "unet" / "config.json").read_text(encoding="utf-8"))
        width, channels = unet.get("cross_attention_dim"), unet.get("in_channels")
    except (OSError, ValueError, AttributeError):
        return "Stable Diffusion"
    kind = WIDTHS.get(width, "Stable Diffusion 1.x or 2.x") if isinstance(width, int) else "Stable Diffusion"
    return f"{kind}, inpainting" if channels == 9 else kind


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
