"""Fixtures of more than one module: the tiny server, and the plugin run on it as people run it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.judging import QUICK, ROOT, Evaluator
from tests.conformance.tiny_server import TinyServer, tiny_server


@pytest.fixture
def server() -> Iterator[TinyServer]:
    with tiny_server() as server:
        yield server


@pytest.fixture
def judge(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Evaluator:
    """Runs `pytest --target URL` with the tiny suite in an empty folder."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("LOCAL_DREAM_")]:
        monkeypatch.delenv(name)

    def run(target: TinyServer | str | None, *arguments: str) -> pytest.RunResult:
        url = target.url if isinstance(target, TinyServer) else target
        words = (*QUICK, "-p", "tests.conformance.tiny_suite", *arguments)
        return pytester.runpytest_subprocess(*words, *(() if url is None else ("--target", url)))

    return run
