"""Tests of the upscaler need PyTorch, which only the extra `reference` installs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

# Without the extra `reference` there is nothing to test here.
collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A folder with one tiny model, in the place of the shipped one."""
    from tests.reference_engine.upscaling.weights import compact_weights, write

    write(tmp_path / "shipped" / "tiny-x4.safetensors", compact_weights(), header={"skip": "bicubic"})
    return tmp_path / "shipped"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty models folder."""
    (tmp_path / "models").mkdir()
    return tmp_path / "models"
