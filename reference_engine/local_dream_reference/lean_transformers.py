"""transformers, imported without reading the source of each of its hundreds of models for the names in it.

It does so twice, for itself and for its ``models``, a second in all, to import a name's module when the name is asked
for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from local_dream_reference.stand_ins import altered

READ: Final = (
    "auto",
    "bloom",
    "clip",
    "dinov2_with_registers",
    "encoder_decoder",
    "gemma",
    "gemma2",
    "siglip",
    "t5",
    "vit_mae",
)
"""Models whose names are known at once: those that diffusers and peft name when they are imported. Any other name is
known, too, once it is asked for, as all are read then."""

ELSEWHERE: Final = (
    "ModelMixin",
    "SchedulerMixin",
    "DiffusionPipeline",
    "OnnxRuntimeModel",
    "BaseGuidance",
    "ORTModule",
)
"""Classes of other libraries that diffusers looks for here, too, and does not find."""

LISTS: Final = ("transformers", "transformers.models")


@contextmanager
def without_all_models() -> Iterator[None]:
    """While inside, importing transformers reads the models of :data:`READ` alone."""
    with altered("transformers.utils.import_utils", _read_few):
        yield


def _read_few(utils: ModuleType) -> None:
    """Change how transformers learns what names its models have."""
    read, lazy = utils.create_import_structure_from_path, utils._LazyModule
    models = Path(str(utils.__file__)).parents[1] / "models"
    few = [True]  # until all are asked for

    def read_few(path: Any) -> Any:
        here = Path(path).parent if Path(path).is_file() else Path(path)
        if not few[0] or here != models:
            return read(path)
        return {name: read(str(models / name)) for name in READ if (models / name).is_dir()}

    def read_all(prefix: str | None) -> dict[Any, dict[str, Any]]:
        few[0] = False
        utils.define_import_structure.cache_clear()  # it remembers what it said before
        found: dict[Any, dict[str, Any]] = utils.define_import_structure(models, prefix=prefix)
        return found

    class Growing(lazy):  # type: ignore[misc, valid-type]
        """Knows the names of few models until it is asked for another."""

        def __init__(self, name: str, file: str, structure: Any, *arguments: Any, **named: Any) -> None:
            super().__init__(name, file, structure, *arguments, **named)
            if name in LISTS:
                self._made_of = (file, structure, arguments, named)
                del self.__all__

        def __getattr__(self, name: str) -> Any:
            if "_made_of" in vars(self) and not self._knows(name):
                self._grow()
            return vars(self)[name] if name in vars(self) else super().__getattr__(name)

        def __dir__(self) -> list[str]:
            if "_made_of" in vars(self):
                self._grow()
            return list(super().__dir__())

        def _knows(self, name: str) -> bool:
            if name.startswith("__"):
                return name != "__all__"
            known = ("_class_to_module", "_modules", "_objects", "_object_missing_backend")
            # A module of transformers itself that is about to be imported is no name of a model either.
            own = name in ELSEWHERE or (self.__name__ == LISTS[0] and (models.parent / f"{name}.py").is_file())
            alike = {name, name.removesuffix("Fast")}  # transformers has one for the other
            return own or any(not alike.isdisjoint(vars(self).get(each, ())) for each in known)

        def _grow(self) -> None:
            file, structure, arguments, named = self.__dict__.pop("_made_of")
            for needed, modules in read_all("models" if self.__name__ == LISTS[0] else None).items():
                structure.setdefault(needed, {}).update(modules)
            super().__init__(self.__name__, file, structure, *arguments, **named)

    utils.create_import_structure_from_path, utils._LazyModule = read_few, Growing  # type: ignore[attr-defined]
