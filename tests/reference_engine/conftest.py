"""What the reference engine's tests share. Those that need torch are left out where it is not installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.made_once import made_once

if TYPE_CHECKING:
    from local_dream_reference.engine import ReferenceEngine

HAS_TORCH = importlib.util.find_spec("torch") is not None and importlib.util.find_spec("diffusers") is not None
collect_ignore = (
    []
    if HAS_TORCH
    else [
        "test_engine.py",
        "test_guidance.py",
        "test_precision.py",
        "test_runtime.py",
        "test_benchmark.py",
        "test_adapters.py",
        "test_checkpoint.py",
        "test_distilled.py",
        "test_hub.py",
        "test_long_prompts.py",
        "test_models_command.py",
        "test_training.py",
        "test_evaluation.py",
        "test_page.py",
        "test_serve.py",
        "test_start.py",
        "test_shipped_model.py",
    ]
)


@pytest.fixture(scope="session", autouse=True)
def cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Nothing is written into, or read from, the caches of whoever runs the tests. The workers share one, so that what
    one of them has converted is converted for all, as it is for all processes of a user."""
    folder = made_once(request, tmp_path_factory, "cache", lambda folder: None)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(folder))
        yield folder


@pytest.fixture(scope="session")
def tiny_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diffusers folder with a tiny random model."""
    from tests.reference_engine.tiny_model import save_folder

    return made_once(request, tmp_path_factory, "tiny", save_folder)


@pytest.fixture(scope="session")
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder in which the command has run every stage of the training at toy size. For reading."""
    from tests.reference_engine.toy_training import train

    return made_once(request, tmp_path_factory, "trained", train)


@pytest.fixture(scope="session")
def engine(tiny_folder: Path) -> ReferenceEngine:
    """An engine with the tiny model, on one thread so that other processes cannot change its rounding."""
    from local_dream_reference.engine import build
    from local_dream_reference.options import parse_options

    return build(parse_options({"model": str(tiny_folder), "device": "cpu", "threads": "1", "runtime": "torch"}))
