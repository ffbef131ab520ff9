"""The Dockerfiles in examples/container, without a container: what they copy is there, what they run installs from just
that, and what they start writes nowhere but to its home.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.documentation.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "container"
NAMES = sorted(path.name for path in FOLDER.glob("*.Dockerfile"))


def instructions(name: str) -> list[tuple[str, str]]:
    """The word and the rest of each line that is no comment."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]  # type: ignore[misc]


def the(word: str, name: str) -> str:
    (found,) = [rest for one, rest in instructions(name) if one == word]
    return found


def lacking(name: str) -> bool:
    """Whether this machine cannot run it. CI has all that is needed."""
    there = name.startswith("mock") or importlib.util.find_spec("torch") is not None
    return not there and not os.environ.get("CI")


def test_both_are_there() -> None:
    assert NAMES == ["mock.Dockerfile", "reference.Dockerfile"]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_as_nobody_and_writes_to_tmp(name: str) -> None:
    words = [word for word, _ in instructions(name)]
    assert the("USER", name) == "nobody"
    assert words.index("USER") > max(at for at, word in enumerate(words) if word in ("RUN", "COPY"))
    assert "HOME=/tmp" in the("ENV", name)
    comment = (FOLDER / name).read_text(encoding="utf-8").split("FROM")[0]
    assert "--read-only --cap-drop ALL --tmpfs /tmp" in comment
    assert f"-f examples/container/{name}" in comment


@pytest.mark.parametrize("name", NAMES)
def test_what_it_copies_installs_and_serves(name: str, tmp_path: Path) -> None:
    if lacking(name):
        pytest.skip("torch is not installed")
    source, home = tmp_path / "source", tmp_path / "home"
    home.mkdir()
    for word, rest in instructions(name):
        if word == "COPY":
            *copied, to = rest.split()
            for path in copied:
                target = tmp_path / to.strip("/")
                target = target / Path(path).name if to.endswith("/") else target
                target.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / path).is_file():
                    shutil.copy2(ROOT / path, target)
                else:
                    shutil.copytree(ROOT / path, target, ignore=shutil.ignore_patterns("__pycache__"))
    environment = Environment(tmp_path / "environment", home)
    for command in (rest for word, rest in instructions(name) if word == "RUN"):
        if "torch==" not in command:  # some gigabytes, where no index is named: the next test
            here = command.replace("/source", str(source))
            subprocess.run(["bash", "-c", here], env=environment.variables, check=True, capture_output=True)
    serves(json.loads(the("ENTRYPOINT", name)), environment, home)


def serves(entry: list[str], environment: Environment, home: Path) -> None:
    """Starts what the image starts, has a picture made, and looks for what was written."""
    written = set(environment.folder.rglob("*"))
    variables = environment.variables | {"HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    where = home / "nowhere"
    where.mkdir()
    command = [str(environment.folder / "bin" / entry[0]), *entry[1:], "--port", "0"]
    with subprocess.Popen(command, cwd=where, env=variables, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = server.stdout.readline().split()[1].rpartition(":")[2]
            picture = ["local-dream", "generate", f"http://127.0.0.1:{port}", "a red house", "-o", "../house.png"]
            size = ["--steps", "2", "--width", "128", "--height", "128"]
            subprocess.run([*picture, *size], cwd=where, env=variables, check=True, capture_output=True)
        finally:
            server.terminate()
    assert list(where.iterdir()) == []
    assert set(environment.folder.rglob("*")) == written


def test_the_build_of_torch_is_the_one_that_the_project_wants() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (wanted,) = [one for one in project["project"]["optional-dependencies"]["reference"] if one.startswith("torch")]
    text = (FOLDER / "reference.Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"(torch=\S+) \${TORCH_INDEX:\+--index-url", text) == [wanted]


@pytest.mark.parametrize("name", NAMES)
def test_it_starts_the_command_of_its_name(name: str) -> None:
    command = {"mock": "mock", "reference": "serve"}[name.removesuffix(".Dockerfile")]
    assert json.loads(the("ENTRYPOINT", name))[:2] == ["local-dream", command]
