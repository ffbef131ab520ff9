"""The reference engine: a small diffusers text-to-image model and a 4x upscaler. What others may import stands here.

What made the models (training, evaluation, synthetic_dataset) is run from a clone of the repository.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_dream_reference.engine import ReferenceEngine, create
    from local_dream_reference.errors import EngineFailure, RequestRefused, UnusableModel

__all__ = ["EngineFailure", "ReferenceEngine", "RequestRefused", "UnusableModel", "create"]

_HOMES = {
    "ReferenceEngine": ("engine", "ReferenceEngine"),
    "create": ("engine", "create"),
    "EngineFailure": ("errors", "EngineFailure"),
    "RequestRefused": ("errors", "RequestRefused"),
    "UnusableModel": ("errors", "UnusableModel"),
}
"""Where each public name lives, and its name there. They are imported when they are asked for: every pytest run imports
this package."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f"{__name__}.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
