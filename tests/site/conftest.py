"""The site, built once for all tests of it, by `make docs` in this environment."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.korean import ROOT


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("material") is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs the extra docs")
        pytest.skip("the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    ready = f"{sys.prefix}/.ready-docs"
    built = subprocess.run(
        ["make", "-o", ready, "docs", f"VENV={sys.prefix}", f"SITE={folder}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr + built.stdout
    return folder
