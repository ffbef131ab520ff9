"""The templates in examples/ci: they parse, and what they call and copy is there."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_dream_conformance.core.options import RUN_OPTIONS
from local_dream_conformance.core.settings import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "ci"
FLAGS = {option.flag for option in (*OPTIONS, *RUN_OPTIONS)} | {"--junitxml"}
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def shell_is_sound(script: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("name", ["github.yml", "phone.yml"])
def test_workflows_call_the_action_with_inputs_and_outputs_that_it_has(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    (job,) = workflow["jobs"].values()
    (call,) = [step for step in job["steps"] if step.get("id") == "conformance"]
    assert call["with"].keys() <= ACTION["inputs"].keys()
    assert set(re.findall(r"steps\.conformance\.outputs\.([a-z]+)", text)) <= ACTION["outputs"].keys()
    assert all(shell_is_sound(step["run"]) for step in job["steps"] if "run" in step)
    assert set(re.findall(r"--[a-z-]+", call["with"].get("args", ""))) <= FLAGS


def test_the_gitlab_job_calls_what_there_is() -> None:
    job = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text(encoding="utf-8"))["conformance"]
    lines = [*job["before_script"], *job["script"]]
    assert all(shell_is_sound(line) for line in lines)
    assert set(re.findall(r"(--[a-z-]+)=", job["script"][0])) <= FLAGS
    known = {"LOCAL_DREAM_TARGET", *(option.variable for option in OPTIONS)}
    assert {name for name in job["variables"] if name.startswith("LOCAL_DREAM_")} <= known
    assert job["artifacts"]["reports"]["junit"] in job["script"][0]


def test_the_dockerfile_copies_and_starts_what_there_is() -> None:
    text = (EXAMPLES / "Dockerfile").read_text(encoding="utf-8")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    copied = [name for word, rest in lines if word == "COPY" for name in rest.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    built = {name.partition("/")[0] for name in (*packages["packages"], *packages["force-include"])}
    assert {*built, "pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]} == set(copied)
    assert all(shell_is_sound(rest) for word, rest in lines if word == "RUN")
    (entry,) = [json.loads(rest) for word, rest in lines if word == "ENTRYPOINT"]
    assert entry[0] in project["project"]["scripts"]
    assert (
        f"local_dream_conformance.cli:{entry[1]}"
        == project["project"]["entry-points"]["local_dream.commands"][entry[1]]
    )
    assert ("USER", "judge") in [tuple(line) for line in lines]
