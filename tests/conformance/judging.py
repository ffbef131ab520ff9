"""How tests run the plugin as people do: pytest in a process of its own, with the tiny suite (fixture `judge`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("-p", "no:anyio", "-p", "no:hypothesispytest")
"""Plugins of the test environment that load slowly and are not what is tested."""
Evaluator = Callable[..., pytest.RunResult]
"""Gets the target (None: no --target) and further arguments."""
