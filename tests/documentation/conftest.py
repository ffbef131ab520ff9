"""One clone and one environment for all pages; the first page that says `pip install .` installs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documentation.environment import Environment, clone


@pytest.fixture(scope="session")
def the_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    home = tmp_path_factory.mktemp("home")
    (home / "upscalers").mkdir()
    (home / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n", encoding="utf-8")  # 404 is no success
    return Environment(tmp_path_factory.mktemp("environment"), home)


@pytest.fixture(scope="session")
def installed() -> set[str]:
    """The install lines that have run: each runs once, where it first stands."""
    return set()
