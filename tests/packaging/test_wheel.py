"""What an installation gets: the wheel holds what runs, under names that are ours alone, and imports nothing else."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"local_dream_conformance", "local_dream_mockserver", "local_dream_reference", "local_dream_spec"}
LEFT_OUT = ("training", "evaluation", "synthetic_dataset")
LARGEST = 2 * 1024 * 1024
"""Bytes of a wheel without weights."""
FOREIGN = ("torch", "diffusers", "transformers")
"""What local_dream_reference needs, the extra `reference`."""


def build(kind: str, project: Path, folder: Path) -> Path:
    """A distribution, built without a network by the backend that pip would use."""
    if importlib.util.find_spec("hatchling") is None and not os.environ.get("CI"):
        pytest.skip("hatchling is not installed")
    code = f"from hatchling.build import build_{kind}; build_{kind}({str(folder)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=project, check=True, capture_output=True, timeout=300)
    (built,) = [path for path in folder.iterdir() if path.suffix in (".whl", ".gz")]
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_it_takes_only_names_that_are_ours(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_it_holds_what_runs_and_no_weights(wheel: Path) -> None:
    files = names(wheel)
    assert not [name for name in files if any(f"/{word}/" in name for word in LEFT_OUT)]
    assert not [name for name in files if name.endswith((".safetensors", ".bin", ".pt"))]
    assert wheel.stat().st_size < LARGEST
    assert "local_dream_spec/openapi.yaml" in files
    assert {f"{package}/py.typed" for package in PACKAGES - {"local_dream_spec"}} <= set(files)


def test_it_holds_the_page(wheel: Path) -> None:
    folder = ROOT / "mockserver" / "local_dream_mockserver" / "server" / "page" / "static"
    files = {path.relative_to(folder.parents[3]).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert len(files) > 25
    assert files <= set(names(wheel))


NEED_EXTRAS = ("local_dream_reference/", "local_dream_mockserver/cluster/")
"""What needs torch, or Ray."""


def test_every_module_imports_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    modules = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in names(wheel)
        if name.endswith(".py") and not name.startswith(NEED_EXTRAS) and "__main__" not in name
    ]
    code = f"""
import importlib, sys
sys.path[:] = [{str(tmp_path)!r}] + [p for p in sys.path if p and not p.startswith({str(ROOT)!r}) or ".venv" in p]
for name in {FOREIGN}:
    sys.modules[name] = None
for name in {modules!r}:
    module = importlib.import_module(name)
    assert module.__file__.startswith({str(tmp_path)!r}), module.__file__
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_the_source_distribution_has_what_builds_the_wheel_and_no_weights(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", ROOT, tmp_path)) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "spec/openapi.yaml"} <= files
    assert not [name for name in files if name.endswith(".safetensors")]


def test_the_weights_are_a_distribution_of_their_own(tmp_path: Path) -> None:
    files = names(build("wheel", ROOT / "reference_engine" / "models", tmp_path))
    assert {name.partition("/")[0] for name in files if ".dist-info" not in name} == {"local_dream_models"}
    assert [name for name in files if name.endswith(".safetensors")]
