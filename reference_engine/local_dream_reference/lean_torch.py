"""torch, imported without what it knows of tensors that have no values (those of the device "meta") in Python.

That is a third of its own import, and nothing that makes a picture computes with such tensors.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any, Final

from local_dream_reference.lean_imports import without_compiler
from local_dream_reference.stand_ins import StandIn

SHAPES: Final = "torch._meta_registrations"
COMPILERS: Final = ("torch._dynamo", "torch._inductor")
"""What is not imported without it."""


@contextmanager
def lean_torch() -> Iterator[None]:
    """While inside, torch is imported so. The first function that meets such a tensor and does not know what becomes of
    its shape brings all that was left out.
    """
    if "torch" in sys.modules:
        yield
        return
    shapes = _Shapes(SHAPES)
    sys.modules[SHAPES] = shapes
    try:
        with without_compiler():
            yield
    finally:
        if "torch" in sys.modules:
            shapes.wait()
        else:
            del sys.modules[SHAPES]


class _Shapes(StandIn):
    """Stands in for the module until a function of torch needs it."""

    _library: Any = None

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._before = _Before(self)

    def wait(self) -> None:
        """Register with torch's functions that know of no such tensors."""
        import torch
        from torch._opaque_base import OpaqueBaseMeta

        torch._C._set_generator_metaclass(OpaqueBaseMeta)  # what was left out does this, too: no generator without it

        known = torch._C._dispatch_has_kernel_for_dispatch_key
        ways = (
            "Meta",
            "CompositeImplicitAutograd",
            "CompositeExplicitAutograd",
            "CompositeExplicitAutogradNonFunctional",
        )
        library: Any = torch.library.Library
        self._library = library("aten", "IMPL", "Meta")
        sys.meta_path.insert(0, self._before)
        for name in torch._C._dispatch_get_all_op_names():
            space, _, function = name.partition("::")
            if space == "aten" and torch._C._dispatch_has_kernel(name) and not any(known(name, way) for way in ways):
                self._library.m.impl(function, "Meta", partial(self._call, function), False)

    def _call(self, function: str, *arguments: Any, **named: Any) -> Any:
        self.real()
        import torch

        name, _, overload = function.partition(".")
        return getattr(getattr(torch.ops.aten, name), overload or "default")(*arguments, **named)

    def real(self) -> Any:
        """The module, which registers the functions itself."""
        library, self._library = self._library, None
        if library is not None:
            sys.meta_path.remove(self._before)
            library._destroy()
        return super().real()


class _Before(MetaPathFinder):
    """Finds nothing, but imports what torch's compilers count on."""

    def __init__(self, shapes: _Shapes) -> None:
        self._shapes = shapes

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> None:
        if name in COMPILERS:
            self._shapes.real()
