"""Hooks that other plugins and conftest files can implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local_dream_conformance.run.suite import Suite


@pytest.hookspec(firstresult=True)
def pytest_local_dream_suite(config: pytest.Config) -> Suite | None:
    """The suite to run in place of the one shipped: other checks, scenarios, or another contract."""
