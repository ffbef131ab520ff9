"""A hostile target, and what a run at one may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile.front import Send

MEMORY = 512
"""MiB that no run may take."""
CPU = 120.0
"""Seconds of processor time that no run may take; an honest one takes about six."""


@dataclass(frozen=True)
class Hostile:
    """A target that answers `kind` (see front) with what `make` gives.

    The run ends with exit status `code`, and finds the ids in `breaks` broken, among others. `fast`: tried in CI.
    """

    name: str
    kind: str
    make: Callable[[], Send]
    breaks: tuple[str, ...] = ()
    code: int = 1
    fast: bool = False
    cpu: float = CPU
