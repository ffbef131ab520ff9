"""What is costly to make is made once for all workers of a test session."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(
    request: pytest.FixtureRequest, factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """The folder `name` of the session, which the first worker that asks for it has `make` fill while the others wait.

    Nobody may write into it afterwards. What `make` raises, each worker gets that tries.
    """
    folder = shared_by_workers(request, factory) / name
    made = folder.with_name(f"{name}.made")
    with FileLock(folder.with_name(f"{name}.lock")):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder


def shared_by_workers(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of the session; a worker's own lies in it."""
    own = factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own
