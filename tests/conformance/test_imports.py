"""Who may import whom: the judge and the judged share the spec file and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "conformance": {"mockserver", "reference_engine", "tests"},
    "mockserver": {"conformance", "reference_engine", "tests"},
    "reference_engine": {"conformance", "mockserver", "tests", "http", "starlette", "uvicorn", "httpx", "flask"},
}


def imported(source: str) -> set[str]:
    """The top packages that a module names in import statements or gives as a text to import_module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            arguments = [argument for argument in node.args[:1] if isinstance(argument, ast.Constant)]
            found |= {str(argument.value).partition(".")[0] for argument in arguments}
    return found


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_keep_apart(package: str) -> None:
    modules = sorted((ROOT / package).rglob("*.py"))
    assert modules
    for module in modules:
        assert imported(module.read_text(encoding="utf-8")) & FORBIDDEN[package] == set(), module


def test_the_project_needs_nothing_from_beside_it() -> None:
    for package in (*FORBIDDEN, "tests"):
        for module in sorted((ROOT / package).rglob("*.py")):
            if module != Path(__file__).resolve():
                assert "../shared" not in module.read_text(encoding="utf-8"), module


@pytest.mark.parametrize(
    "source",
    [
        "import mockserver.app",
        "from mockserver import app",
        "import_module('mockserver.app')",
        "def f():\n import mockserver",
    ],
)
def test_imports_are_seen_wherever_they_stand(source: str) -> None:
    assert imported(source) == {"mockserver"}
