"""The wheel beside other people's projects and alone: their packages and pytest runs stay theirs, our commands work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.packaging.test_wheel import ROOT, build

NAMES = ("conformance", "mockserver", "reference_engine", "spec", "tests")
"""Top-level names that projects use, and that folders of this repository have too."""
MAIN = "from local_dream_conformance.cli import main; main()"
MOCKS = """
from local_dream_mockserver import Mock


def test_the_fixture_is_there(local_dream_mock):
    assert isinstance(local_dream_mock, Mock)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and with what it depends on as it is installed here; not with this clone."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))) as archive:
        archive.extractall(packages)
    # Paths that a .pth file adds are not searched for further .pth files: those of an editable install stay out.
    (packages / "here.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    return folder / "bin" / "python"


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs with nothing of this run's environment."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120)


def test_it_is_the_wheel_that_is_tried(python: Path, tmp_path: Path) -> None:
    code = "import local_dream_conformance, local_dream_mockserver as m; print(m.__file__)"
    assert run(python, "-c", code, cwd=tmp_path).stdout.startswith(str(python.parents[1]))


@pytest.mark.parametrize("how", ["script", "module"])
@pytest.mark.parametrize("name", NAMES)
def test_a_project_with_a_package_of_that_name_runs_pytest(python: Path, tmp_path: Path, name: str, how: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("LIMIT = 3\n")
    (tmp_path / "conftest.py").touch()
    (tmp_path / "test_limit.py").write_text(f"from {name} import LIMIT\n\n\ndef test_limit():\n    assert LIMIT == 3\n")
    safe = ["-P"] if how == "script" else []  # a script does not put the working folder on sys.path, `-m` does
    done = run(python, *safe, "-m", "pytest", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a_distribution_with_a_package_of_that_name_is_whole_beside_ours(python: Path, tmp_path: Path) -> None:
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    theirs = packages / "mockserver"
    theirs.mkdir()
    try:
        (theirs / "__init__.py").write_text("class MockServerClient: ...\n")
        (tmp_path / "test_client.py").write_text(f"from mockserver import MockServerClient\n{MOCKS}")
        done = run(python, "-m", "pytest", "-q", cwd=tmp_path)
        assert "1 passed" in done.stdout, done.stdout + done.stderr
    finally:
        shutil.rmtree(theirs)


def test_a_project_whose_tests_are_a_package_uses_our_fixture(python: Path, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").touch()
    (tmp_path / "tests" / "test_client.py").write_text(MOCKS)
    done = run(python, "-m", "pytest", "-q", cwd=tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_mock_works_from_the_wheel_alone(python: Path, tmp_path: Path) -> None:
    command = [str(python), "-c", MAIN, "mock", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as mock:
        assert mock.stdout is not None
        try:
            ready, url, *_ = mock.stdout.readline().split()
            assert ready == "ready"
            with urllib.request.urlopen(f"{url}/health", timeout=30) as answer:
                assert answer.status == 200
        finally:
            mock.terminate()


def test_serve_says_in_one_line_what_it_lacks_and_how_to_get_it(python: Path, tmp_path: Path) -> None:
    code = f"import sys; sys.modules['local_dream_models'] = sys.modules['torch'] = None\n{MAIN}"
    done = run(python, "-c", code, "serve", "--port", "0", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: the shipped model is not installed: ")
    assert "pip install '.[reference]' ./reference_engine/models" in line, "both the model and torch"
    engine = run(python, "-c", code, "serve", "--port", "0", "--no-generate", cwd=tmp_path)
    remedy = "pip install 'local-dream-conformance[reference]'"
    assert engine.stderr == f"Error: the engine reference needs torch, which is not installed: {remedy}\n"
