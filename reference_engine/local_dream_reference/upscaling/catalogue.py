"""The models that can be asked for, and the names by which they can be asked for.

A client's name is never turned into a path. It is looked up among the names of the files
that a scan of the models folder found, so ``..``, absolute paths and odd characters are
simply names that nothing has. Symbolic links that whoever owns the folder has put there are
followed; a client cannot make any.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from local_dream_reference.shipped import MODELS
from local_dream_reference.upscaling.architecture import checked_name
from local_dream_reference.upscaling.compact_network import SCALE
from local_dream_reference.upscaling.errors import UnknownUpscaler, UnusableWeights
from local_dream_reference.upscaling.weights_file import SUFFIXES, read_weights

SHIPPED = MODELS / "upscaler"
"""The folder of the model that comes with the project."""

DEFAULT = "default"


@dataclass(frozen=True)
class UpscalerModel:
    """A model on offer."""

    name: str
    """Its name: the path inside the models folder without the suffix, with forward slashes."""
    file: str
    """The same with the suffix."""
    scale: int
    """4."""
    architecture: str
    """For example ``compact 48x16`` or ``rrdb 64x23``."""


@dataclass(frozen=True)
class _Found:
    root: Path
    file: str
    stamp: tuple[int, int]
    """Size and time of change: a replaced file is another file."""


class Catalogue:
    """The shipped model first, then those of an optional folder, read anew when files change.

    ``unknown_is_default`` answers every unknown name with the default model, for testing
    clients that send paths of their phone.
    """

    def __init__(
        self, folder: Path | None = None, *, shipped: Path | None = None, unknown_is_default: bool = False
    ) -> None:
        if folder is not None and not folder.is_dir():
            raise UnusableWeights(f"the models folder {folder} is not a folder")
        self._shipped = (SHIPPED if shipped is None else shipped).resolve()
        self._folder = None if folder is None else folder.resolve()
        self._unknown_is_default = unknown_is_default
        self._lock = Lock()
        self._judged: dict[_Found, UpscalerModel | str] = {}
        if not self.models():
            raise UnusableWeights("there is no upscaler: neither a shipped one nor one in the models folder")

    def models(self) -> list[UpscalerModel]:
        """What can be asked for, the default first, the others by name."""
        return [model for model, _ in self._usable()]

    def refused(self) -> dict[str, str]:
        """File name to reason, for the files in the folder that cannot be used."""
        with self._lock:
            return {found.file: judged for found in self._scan() if isinstance(judged := self._judge(found), str)}

    def resolve(self, asked: str) -> str:
        """The name of the model that ``asked`` means. Raises UnknownUpscaler."""
        return self._look_up(asked)[0].name

    def locate(self, asked: str) -> tuple[UpscalerModel, Path, tuple[int, int]]:
        """The model, its file, and a stamp that changes with the file. Raises UnknownUpscaler."""
        model, found = self._look_up(asked)
        return model, found.root / found.file, found.stamp

    def _look_up(self, asked: str) -> tuple[UpscalerModel, _Found]:
        usable = self._usable()
        if asked == DEFAULT:
            return usable[0]
        for model, found in usable:
            if asked in (model.file, model.name):
                return model, found
        if self._unknown_is_default:
            return usable[0]
        raise UnknownUpscaler(asked, [DEFAULT, *(model.name for model, _ in usable)])

    def _usable(self) -> list[tuple[UpscalerModel, _Found]]:
        with self._lock:
            judged = [(self._judge(found), found) for found in self._scan()]
        usable: list[tuple[UpscalerModel, _Found]] = []
        for model, found in judged:
            # Two files that differ in the suffix only: the later one keeps its file name as its name.
            if isinstance(model, str):
                continue
            taken = {other.name for other, _ in usable} | {DEFAULT}
            usable.append((model if model.name not in taken else _named_by_file(model), found))
        return usable

    def _scan(self) -> list[_Found]:
        found = _files(self._shipped)
        if self._folder is not None:
            shipped = {entry.file for entry in found}
            found += [entry for entry in _files(self._folder) if entry.file not in shipped]
        self._judged = {entry: self._judged[entry] for entry in found if entry in self._judged}
        return found

    def _judge(self, found: _Found) -> UpscalerModel | str:
        if found not in self._judged:
            self._judged[found] = _judged(found)
        return self._judged[found]


def _judged(found: _Found) -> UpscalerModel | str:
    try:
        content = read_weights(found.root / found.file)
    except UnusableWeights as error:
        return str(error)
    try:
        architecture = checked_name(content)
    except UnusableWeights as error:
        return f"{found.file}: {error}"
    return UpscalerModel(Path(found.file).with_suffix("").as_posix(), found.file, SCALE, architecture)


def _named_by_file(model: UpscalerModel) -> UpscalerModel:
    return UpscalerModel(model.file, model.file, model.scale, model.architecture)


def _files(root: Path) -> list[_Found]:
    """Weights files below ``root``, sorted, each folder once however many links lead there."""
    found: list[_Found] = []
    seen: set[Path] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        seen.add(Path(folder).resolve())
        below[:] = sorted(name for name in below if Path(folder, name).resolve() not in seen)
        for name in names:
            path = Path(folder, name)
            if path.suffix.lower() in SUFFIXES and path.is_file():
                status = path.stat()
                found.append(_Found(root, path.relative_to(root).as_posix(), (status.st_size, status.st_mtime_ns)))
    return sorted(found, key=lambda entry: entry.file)
