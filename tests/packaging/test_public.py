"""The public names: each can be imported, checked by mypy from outside, and the documents use no other."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("local_dream_conformance", "local_dream_mockserver")
TEXTS = [
    ROOT / "README.md",
    ROOT / "README.ko.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
    *sorted((ROOT / "examples").rglob("*.py")),
]
IMPORT = re.compile(r"^\s*(?:from|import) (local_dream_[a-z_.]+)(?: import \(?([^)]*?)\)?$)?", re.MULTILINE)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there(package: str) -> None:
    module = importlib.import_module(package)
    assert {name: getattr(module, name) for name in module.__all__}.keys() <= set(dir(module))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name


def test_an_outside_program_is_typed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    lines = [f"from {name} import {', '.join(importlib.import_module(name).__all__)}" for name in PACKAGES[1:]]
    program.write_text(
        "\n".join([*lines, "with running_mock() as mock:", "    mock.script([5])", "    url: str = mock.url", ""])
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, done.stdout
    assert "list-item" in errors[0]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_documents_and_examples_import_only_what_is_public(path: Path) -> None:
    for module, imported in IMPORT.findall(path.read_text(encoding="utf-8")):
        assert "." not in module, f"{module} is private"
        public = set(importlib.import_module(module).__all__)
        assert {name.strip() for name in imported.split(",") if name.strip()} <= public
