"""A folder of LoRA files and textual-inversion embeddings: what is in it, told from the heads of the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local_dream_reference.errors import UnusableModel
from local_dream_reference.single_file import NotSafetensors, head_of, kind_of
from local_dream_reference.variant import WEIGHTS

PICKLES: Final = (".pt", ".pth", ".bin", ".ckpt")
LARGEST_EMBEDDING: Final = 256
"""Vectors; a text encoder reads 77."""


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """Files by the name that a prompt calls them by (the file's, without its suffix), and why others are left out."""

    loras: dict[str, Path] = field(default_factory=dict)
    embeddings: dict[str, Path] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def find_adapters(folder: Path | None, width: int) -> AdapterFiles:
    """What a folder and those below it have for a model whose text encoder's output is ``width`` wide.

    Raises UnusableModel where it is no folder.
    """
    files = AdapterFiles()
    for path in _files(folder):
        known = files.loras if (reason := _judged(path, width)) == "LoRA" else files.embeddings
        if reason not in ("LoRA", "embedding"):
            files.refused[path.name] = reason
        elif path.stem in files.loras or path.stem in files.embeddings:
            files.refused[path.name] = "another file of that name is there"
        else:
            known[path.stem] = path
    return files


def has_loras(folder: Path | None) -> bool:
    """Whether a folder has any LoRA, for whatever model. Raises UnusableModel where it is no folder."""
    return any(kind == "LoRA" for kind in (_kind(path) for path in _files(folder)))


def _files(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    if not folder.is_dir():
        raise UnusableModel(f"adapters: {folder} is not a folder")
    suffixes = (WEIGHTS, *PICKLES)
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix.lower() in suffixes]


def _kind(path: Path) -> str:
    try:
        return kind_of(path)
    except (NotSafetensors, OSError):
        return ""


def _judged(path: Path, width: int) -> str:
    """LoRA, embedding, or the reason why it is neither."""
    if path.suffix.lower() in PICKLES:
        return f"only {WEIGHTS} files are loaded, since others can run code"
    try:
        head, kind = head_of(path), kind_of(path)
    except (NotSafetensors, OSError) as error:
        return str(error)
    if kind == "LoRA":
        made_for = _lora_width(head)
        return "LoRA" if made_for in (0, width) else _other(made_for, width)
    vectors = [_shape(value) for value in head.values()]
    if len(vectors) != 1 or len(vectors[0]) not in (1, 2) or vectors[0][0] > max(LARGEST_EMBEDDING, width):
        other = (
            kind
            if kind not in ("unknown", "textual inversion")
            else "neither a LoRA nor an embedding for this kind of model"
        )
        return f"it holds {other}"
    return "embedding" if vectors[0][-1] == width else _other(vectors[0][-1], width)


def _other(made_for: int, width: int) -> str:
    return f"it was made for models whose text is {made_for} wide, and this one's is {width}"


def _lora_width(head: dict[str, Any]) -> int:
    """The width of the text that it was made for, 0 where it does not tell."""
    for name, value in head.items():
        if "attn2" in name and "to_k" in name and any(mark in name for mark in ("lora_down", "lora_A", "lora.down")):
            return _shape(value)[-1]
    return 0


def _shape(value: dict[str, Any]) -> list[int]:
    return list(value.get("shape", ())) or [0]
