"""docs/install.md: each line that installs, in an environment of its own, installs what then works."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation.blocks import ROOT, Command, blocks
from tests.documentation.environment import Environment
from tests.documentation.not_run import reason
from tests.site.served import serving_folder

PAGE = "docs/install.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
COMMANDS = [command for block in blocks(PAGE, TEXT) for command in block.commands()]
LINES = [command for command in COMMANDS if command.text.startswith("pip install") and not reason(command)]


@pytest.fixture(scope="module")
def repositories(the_clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, str]]:
    """The addresses of a bare clone: as a file, and on a web server where a requirement has a name before it."""
    folder = tmp_path_factory.mktemp("bare")
    bare = folder / "local-dream-conformance.git"
    subprocess.run(["git", "clone", "-q", "--bare", the_clone, bare], check=True)
    subprocess.run(["git", "update-server-info"], cwd=bare, check=True)
    with serving_folder(folder) as url:
        yield {False: bare.as_uri(), True: f"{url}/{bare.name}"}


@pytest.fixture(scope="module")
def wheels(the_clone: Path, environment: Environment) -> None:
    """The wheels of the page, in the clone. Those of others are there already."""
    (line,) = [command.text for command in COMMANDS if command.text.startswith("pip wheel --no-deps")]
    subprocess.run(["bash", "-c", line], cwd=the_clone, env=environment.variables, check=True, capture_output=True)


@pytest.mark.parametrize("command", LINES, ids=lambda command: command.place)
@pytest.mark.usefixtures("wheels")
def test_an_install_line_installs_what_works(
    command: Command, repositories: dict[bool, str], the_clone: Path, tmp_path: Path
) -> None:
    if "reference]" in command.text and importlib.util.find_spec("torch") is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs torch")
        pytest.skip("the extra reference is not installed")
    environment = Environment(tmp_path / "environment", tmp_path)
    variables = environment.variables | {"REPOSITORY": repositories[" @ " in command.text]}
    done = subprocess.run(
        ["bash", "-c", command.text], cwd=the_clone, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert environment.where("local_dream_conformance").is_relative_to(environment.folder)
    if "models" in command.text:
        assert environment.where("local_dream_models").is_relative_to(environment.folder)
    subprocess.run(
        ["local-dream", "check", "mock", "-k", "HLT"], cwd=tmp_path, env=variables, check=True, capture_output=True
    )


def test_the_line_for_an_environment_makes_one_and_enters_it(tmp_path: Path) -> None:
    (line,) = [command.text for command in COMMANDS if "-m venv" in command.text]
    asks = "python -c 'import sys; print(sys.prefix)'"
    said = subprocess.run(["bash", "-c", f"{line} && {asks}"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert Path(said.stdout.strip()).resolve() == (tmp_path / ".venv").resolve()


def test_the_build_of_torch_is_the_one_that_the_project_wants() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (wanted,) = [one for one in project["project"]["optional-dependencies"]["reference"] if one.startswith("torch")]
    assert re.findall(r"pip install (torch\S+) --index-url", TEXT) == [wanted]
