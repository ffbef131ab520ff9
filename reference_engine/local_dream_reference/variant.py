"""Weights that a folder has in several formats: diffusers tells them apart by a word in the file's name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from local_dream_reference.errors import UnusableModel

WEIGHTS: Final = ".safetensors"
CONVERT: Final = (
    "since others can run code; take the .safetensors of the same model, or have diffusers write them where it is "
    "trusted: save_pretrained(FOLDER, safe_serialization=True)"
)


def variant_among(names: Iterable[str], model: str) -> str | None:
    """The variant (such as fp16) of the weights among these file names, None for the plain ones.

    Raises UnusableModel where there are no others than those that can run code.
    """
    every = list(names)
    found = [name for name in every if name.lower().endswith(WEIGHTS)]
    if not found and any(name.endswith(".bin") for name in every):
        raise UnusableModel(f"model {model!r}: its weights are .bin files; only {WEIGHTS} files are loaded, {CONVERT}")
    variants = {_variant(name) for name in found} or {None}
    return None if None in variants else min(filter(None, variants))


def _variant(name: str) -> str | None:
    """fp16 of model.fp16.safetensors and of model.fp16-00001-of-00002.safetensors; None of model.safetensors."""
    parts = name.split(".")[1:-1]
    return re.sub(r"-\d+-of-\d+$", "", parts[0]) if parts else None
