"""The models on this machine: the shipped one, those in the folders that the user names, and the Hub's cache."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local_dream_reference import hub
from local_dream_reference.shipped import DEFAULT, SHIPPED
from local_dream_reference.variant import WEIGHTS

PLACES: Final = "LOCAL_DREAM_MODELS"
"""Environment variable: folders that hold models, separated as in PATH."""
SINGLE: Final = (WEIGHTS, ".ckpt")
"""Suffixes of files that hold whole models; those of the second cannot be loaded, and are listed with the reason."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model. ``source`` is shipped, folder, file or hub; what --model takes is its name."""

    name: str
    path: Path
    source: str

    def size(self) -> int:
        """Bytes of its files."""
        if self.path.is_file():
            return self.path.stat().st_size
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())


def named_places() -> list[Path]:
    """The folders that :data:`PLACES` names."""
    return [Path(part).expanduser() for part in os.environ.get(PLACES, "").split(os.pathsep) if part]


def find(places: Sequence[Path]) -> list[Found]:
    """All models, the shipped one first; of two with one name the first."""
    models: dict[str, Found] = {}
    for model in _every(places):
        models.setdefault(model.name, model)
    return list(models.values())


def _every(places: Sequence[Path]) -> Iterator[Found]:
    if SHIPPED.is_dir():
        yield Found(DEFAULT, SHIPPED, "shipped")
    for place in places:
        yield from _in_folder(place, place)
    for name, folder in hub.cache_folders():
        yield Found(name, folder, "hub")


def _in_folder(folder: Path, root: Path) -> Iterator[Found]:
    """Models in a folder and those below it, but not the files that a diffusers folder is made of."""
    if (folder / hub.INDEX).is_file():
        yield Found(folder.relative_to(root).as_posix() if folder != root else folder.name, folder, "folder")
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.is_file() and entry.suffix.lower() in SINGLE:
            yield Found(entry.relative_to(root).with_suffix("").as_posix(), entry, "file")
        elif entry.is_dir() and not entry.is_symlink():
            yield from _in_folder(entry, root)


def completed(beginning: str) -> list[Found]:
    """The models whose name, or its last part, begins so; one that has the very name alone."""
    models = find(named_places())
    exact = [model for model in models if beginning in (model.name, model.name.rpartition("/")[2])]
    if exact:
        return exact
    small = beginning.lower()
    return [
        model
        for model in models
        if model.name.lower().startswith(small) or model.name.rpartition("/")[2].lower().startswith(small)
    ]


def names() -> list[str]:
    """What --model can be given by name. The entry point of the group ``local_dream.models``."""
    return [model.name for model in find(named_places())]
