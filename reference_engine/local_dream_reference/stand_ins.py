"""Stand-ins for modules that are named far more often than they are needed: the first use brings the module itself.

Nothing is lost by them: whoever asks one for a name that it does not have gets that of the module, whenever that is.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class StandIn(ModuleType):
    """Stands where a module would, and gives it its place back as soon as a name is asked for that it has not."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        return getattr(self.real(), name)

    def real(self) -> ModuleType:
        """The module itself, imported now if it never was."""
        _ASKED.add(self.__name__)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        found = importlib.import_module(self.__name__)
        for name, value in vars(self).items():  # a package gets the modules that were imported from it meanwhile
            if isinstance(value, ModuleType):
                vars(found).setdefault(name, value)
        return found


_ASKED: set[str] = set()
"""Modules that were asked for, for which nothing else may stand in."""


@contextmanager
def standing_in(names: Collection[str]) -> Iterator[None]:
    """While inside, importing one of these modules only makes a stand-in, which may stay longer.

    Modules below a package of that kind are imported without what its ``__init__`` does.
    """
    finder = _Finder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def altered(name: str, alter: Callable[[ModuleType], None]) -> Iterator[None]:
    """While inside, ``alter`` is called with the module as soon as it is imported, before anybody else has it."""
    finder = _Altering(name, alter)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self._names or name in _ASKED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _StandInLoader()
        return spec


class _StandInLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: this is what is put off."""


class _Altering(MetaPathFinder):
    def __init__(self, name: str, alter: Callable[[ModuleType], None]) -> None:
        self._name, self._alter = name, alter

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == self._name else None
        if spec is not None and spec.loader is not None:
            spec.loader = _AlteringLoader(spec.loader, self._alter)
        return spec


class _AlteringLoader(Loader):
    def __init__(self, loader: Any, alter: Callable[[ModuleType], None]) -> None:
        self._loader, self._alter = loader, alter

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._alter(module)
