"""diffusers and transformers, imported without what nothing here uses."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from local_dream_reference.late_peft import put_off_peft
from local_dream_reference.lean_transformers import without_all_models
from local_dream_reference.stand_ins import standing_in

PACKAGES: Final = (
    "compel",
    "diffusers.hooks",
    "diffusers.models.autoencoders",
    "diffusers.models.transformers",
    "diffusers.models.unets",
)
"""Packages of which few modules are needed, and which import all."""

COMPILER: Final = "torch._dynamo"
_MASKS: Final = f"{COMPILER}._trace_wrapped_higher_order_op"


@contextmanager
def lean() -> Iterator[None]:
    """While inside, what is imported does without SciPy, what torch has for many machines, its compiler, and a list of
    all that is installed: half of the time of importing diffusers. Afterwards all are as they were.
    """
    with (
        without_compiler(),
        standing_in(PACKAGES),
        without_all_models(),
        _without_a_list_of_packages(),
        without_scipy(),
        _without_many_machines(),
    ):
        put_off_peft()
        yield


@contextmanager
def without_scipy() -> Iterator[None]:
    """While inside, both are imported as where SciPy is not installed.

    They would import all of its statistics and optimisation (a fifth of the time that both take) for losses of object
    detectors and for one spacing of noise levels (beta) that no sampler here has. Afterwards they know of it again.
    """
    import diffusers.utils.import_utils as of_diffusers
    import transformers.utils as of_transformers

    with _set(
        (of_diffusers, "_scipy_available", False),
        (of_transformers, "is_scipy_available", lambda: False),
        (of_transformers.import_utils, "is_scipy_available", lambda: False),
    ):
        yield


@contextmanager
def _without_many_machines() -> Iterator[None]:
    """While inside, transformers is imported as where torch runs on one machine alone: what spreads tensors over many,
    which no model here is, takes a fifth of the time, too.
    """
    import transformers.utils as of_transformers

    with _set(
        (of_transformers, "is_torch_distributed_available", lambda: False),
        (of_transformers.import_utils, "is_torch_distributed_available", lambda: False),
    ):
        yield


@contextmanager
def _set(*places: tuple[Any, str, Any]) -> Iterator[None]:
    """Give names of modules other values, as long as it lasts."""
    before = [(place, name, getattr(place, name)) for place, name, _ in places if hasattr(place, name)]
    for place, name, value in places:
        if hasattr(place, name):  # other versions may call it something else, and are imported whole
            setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)


@contextmanager
def without_guiders() -> Iterator[None]:
    """While inside, diffusers does not ask whether a part of a model that it loads is one of those that guide modular
    pipelines, and does not import all that those need.
    """
    from diffusers.pipelines import pipeline_utils

    kinds = {kind: how for kind, how in pipeline_utils.ALL_IMPORTABLE_CLASSES.items() if kind != "BaseGuidance"}
    with _set((pipeline_utils, "ALL_IMPORTABLE_CLASSES", kinds)):
        yield


@contextmanager
def without_compiler() -> Iterator[None]:
    """While inside, torch's compiler is not imported by those that only mark functions for it.

    Nothing here is compiled by torch. What asks the compiler for more than marks gets all of it, as does everybody
    afterwards.
    """
    if COMPILER in sys.modules or find_spec("torch") is None:
        yield
        return
    compiler = _Marks()
    sys.modules[COMPILER], sys.modules[_MASKS] = compiler, compiler.masks
    try:
        yield
    finally:
        compiler.leave()


@contextmanager
def without_initial_values() -> Iterator[None]:
    """While inside, networks that are made without memory get no first values: torch would work out in Python what
    becomes of them, for which it imports its symbolic algebra (a tenth of the start).
    """
    import torch
    from torch.nn import init

    def normal(tensor: Any, *arguments: Any, **named: Any) -> Any:
        return tensor if filled is None or tensor.is_meta else filled(tensor, *arguments, **named)

    def arange(*numbers: Any, **named: Any) -> Any:
        if named or torch.get_default_device().type != "meta" or not all(type(number) is int for number in numbers):
            return counted(*numbers, **named)
        return counted(*numbers, device="cpu")

    with torch.device("meta"):
        torch.empty(0)  # torch now remembers which functions take a device: `arange` as it is
    # Not `normal_`, which diffusers and transformers replace, too, and put back as they knew it.
    filled, counted = getattr(init, "_no_grad_normal_", None), torch.arange
    with _set((init, "_no_grad_normal_", normal), (torch, "arange", arange)):
        yield


class _Marks(ModuleType):
    """Stands in for torch's compiler: marks mean nothing, and the first other name brings the whole of it."""

    def __init__(self) -> None:
        super().__init__(COMPILER)
        spec = find_spec("torch")
        assert spec is not None
        assert spec.origin is not None
        self.__path__ = [str(Path(spec.origin).parent / "_dynamo")]
        self.masks = ModuleType(_MASKS)
        self.masks.__dict__["TransformGetItemToIndex"] = _transform
        self.__dict__.update(allow_in_graph=_unmarked, assume_constant_result=_unmarked, disable=_not_compiled)
        self.eval_frame = ModuleType("eval_frame")
        self.eval_frame.__dict__["OptimizedModule"] = _Compiled

    def leave(self) -> None:
        """Give the place back to the compiler, if that has not been done.

        Until it is imported, torch's attribute of its name stays: diffusers asks it with every request whether a
        module is a compiled one.
        """
        if sys.modules.get(COMPILER) is self:
            del sys.modules[COMPILER]
            vars(sys.modules["torch"])["_dynamo"] = self
            for mark in ("allow_in_graph", "assume_constant_result", "disable"):
                delattr(self, mark)
        if sys.modules.get(_MASKS) is self.masks:
            del sys.modules[_MASKS]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.leave()
        return getattr(importlib.import_module(COMPILER), name)


class _Compiled:
    """What no module is an instance of, since none is compiled."""


def _unmarked(function: Any) -> Any:
    return function


def _not_compiled(function: Any = None, recursive: bool = True, **_: Any) -> Any:
    return _unmarked if function is None else function


def _transform(*arguments: Any) -> Any:
    """An object of the compiler's class of this name, which masks of other models than ours are made with."""
    return importlib.import_module(_MASKS).TransformGetItemToIndex(*arguments)


@contextmanager
def _without_a_list_of_packages() -> Iterator[None]:
    """While inside, diffusers does not read what files each installed package has, by which it would find those that
    are imported by another name than they are installed by; it uses none of these here.
    """
    before = importlib.metadata.packages_distributions
    if "diffusers" not in sys.modules:
        importlib.metadata.packages_distributions = dict
        try:
            importlib.import_module("diffusers.utils.import_utils")
        finally:
            importlib.metadata.packages_distributions = before
    yield
