"""The house: who may import whom. Wings import downwards only, no modules import each other in a circle, and the judge
and the judged share the spec file and nothing else."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "local_dream_conformance": ROOT / "conformance",
    "local_dream_mockserver": ROOT / "mockserver",
    "local_dream_reference": ROOT / "reference_engine",
}
FORBIDDEN = {
    "local_dream_conformance": {"local_dream_mockserver", "local_dream_reference", "tests"},
    "local_dream_mockserver": {"local_dream_conformance", "local_dream_reference", "tests"},
    "local_dream_reference": {
        *("local_dream_conformance", "local_dream_mockserver", "tests"),
        *("http", "starlette", "uvicorn", "httpx", "flask"),
    },
}
WINGS = {
    "local_dream_conformance": (
        *("core", "http", "evidence", "client", "scenarios", "checks"),
        *("recordings", "result", "report", "run", "cli"),
    ),
    "local_dream_mockserver": ("server", "cluster", "proxy", "faults", "mock", "commands"),
}
"""The wings of a package from the ground up: each may import those before it."""


def imported(source: str) -> set[str]:
    """What a module names in import statements, or gives as a text to import_module. `from a import b` names a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            arguments = [argument for argument in node.args[:1] if isinstance(argument, ast.Constant)]
            found |= {str(argument.value) for argument in arguments}
    return found


def modules(package: str) -> dict[str, set[str]]:
    """Each module of a package with the modules of it that it imports, wherever the import stands."""
    folder = FOLDERS[package]
    sources = {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path.read_text("utf-8")
        for path in sorted((folder / package).rglob("*.py"))
    }
    found: dict[str, set[str]] = {}
    for name, source in sources.items():
        wanted = (one if one in sources else one.rpartition(".")[0] for one in imported(source))
        found[name] = {one for one in wanted if one in sources and one != name}
    return found


@pytest.mark.parametrize("package", FOLDERS)
def test_packages_keep_apart(package: str) -> None:
    files = sorted((FOLDERS[package] / package).rglob("*.py"))
    assert files
    for path in files:
        tops = {name.partition(".")[0] for name in imported(path.read_text(encoding="utf-8"))}
        assert tops & FORBIDDEN[package] == set(), path


@pytest.mark.parametrize("package", FOLDERS)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    try:
        assert list(TopologicalSorter(modules(package)).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("package", FOLDERS)
def test_no_parts_import_each_other_in_a_circle(package: str) -> None:
    """A part is a folder or a module at the top of the package."""
    parts: dict[str, set[str]] = {}
    for module, others in modules(package).items():
        part = module.split(".")[1] if "." in module else ""
        wanted = {other.split(".")[1] for other in others if "." in other}
        parts.setdefault(part, set()).update(wanted - {part})
    try:
        assert list(TopologicalSorter(parts).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("package", WINGS)
def test_wings_import_downwards_only(package: str) -> None:
    order = WINGS[package]
    seen = set()
    for module, others in modules(package).items():
        wing = module.split(".")[1] if "." in module else ""
        seen.add(wing)
        for other in others:
            below = other.split(".")[1] if "." in other else ""
            if wing in order and below in order:
                assert order.index(below) <= order.index(wing), f"{module} imports {other}"
    assert seen - {"", "__main__"} == set(order)


def test_the_project_needs_nothing_from_beside_it() -> None:
    for folder in (*FOLDERS.values(), ROOT / "tests"):
        for path in sorted(folder.rglob("*.py")):
            if path != Path(__file__).resolve():
                assert "../shared" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    "source",
    [
        "import local_dream_mockserver.app",
        "from local_dream_mockserver import app",
        "import_module('local_dream_mockserver.app')",
        "def f():\n import local_dream_mockserver.app",
    ],
)
def test_imports_are_seen_wherever_they_stand(source: str) -> None:
    assert imported(source) == {"local_dream_mockserver.app"}
