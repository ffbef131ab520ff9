"""The GitHub Action: its shell steps run as GitHub runs them, with inputs in the environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_dream_conformance.core.settings import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step.get("id") or step["name"]: step for step in ACTION["runs"]["steps"]}


@dataclass
class Step:
    """One step that has run."""

    code: int
    said: str
    outputs: dict[str, str]


def value(expression: str, inputs: dict[str, str]) -> str:
    """What GitHub puts for a ${{ expression }} of this action."""
    if found := re.fullmatch(r"inputs\.([a-z0-9-]+)", expression):
        return inputs[found[1]]
    found = re.fullmatch(r"inputs\.([a-z0-9-]+) == '([^']*)'", expression)
    assert found, expression
    return str(inputs[found[1]] == found[2]).lower()


def judge(tmp_path: Path, **given: str) -> Step:
    """Runs the step that judges, with defaults for what is not given."""
    inputs = {name: str(entry.get("default", "")) for name, entry in ACTION["inputs"].items()}
    inputs |= {name.replace("_", "-"): text for name, text in given.items()}
    assert set(inputs) == set(ACTION["inputs"])
    binaries = tmp_path / "temp" / "local-dream" / "bin"
    binaries.mkdir(parents=True)
    for name in ("python", "local-dream"):  # as the step before has installed them
        start = "-c 'from local_dream_conformance.cli import main; main()'" if name == "local-dream" else ""
        (binaries / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {start} "$@"\n', encoding="utf-8")
        (binaries / name).chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "output").touch()
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("LOCAL_DREAM_", "GITHUB_"))}
    environment = {
        name: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: value(match[1], inputs), text)
        for name, text in STEPS["judge"]["env"].items()
    }
    places = {
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["judge"]["run"]],
        cwd=work,
        env={**clean, **environment, **places},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (tmp_path / "output").read_text(encoding="utf-8").splitlines()
    return Step(done.returncode, done.stdout + done.stderr, dict(line.split("=", 1) for line in lines))


def test_no_input_is_interpolated_into_a_shell() -> None:
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")


def test_every_setting_is_one_of_the_suite() -> None:
    ours = {name for name in STEPS["judge"]["env"] if name.startswith("LOCAL_DREAM_")}
    assert ours <= {"LOCAL_DREAM_TARGET", *(option.variable for option in OPTIONS)}


def test_outputs_are_those_that_the_step_sets(tmp_path: Path) -> None:
    step = judge(tmp_path, target="mock", args="-k\nHLT or GEN-REQ-01\n\n--quiet")
    assert step.code == 0, step.said
    reports = tmp_path / "work" / "local-dream-report"
    assert step.outputs == {
        "verdict": "conformant",
        "failed": "0",
        "waived": "0",
        "report": str(reports / "report.html"),
        "reports": str(reports),
    }
    assert {f"${{{{ steps.judge.outputs.{name} }}}}" for name in step.outputs} == {
        entry["value"] for entry in ACTION["outputs"].values()
    }
    assert {path.name for path in reports.iterdir()} == {"result.json", "report.html", "junit.xml"}
    assert "no badge in" in step.said
    assert "## ✅ Local Dream conformance" in (tmp_path / "summary.md").read_text(encoding="utf-8")


def test_a_target_that_cannot_be_reached(tmp_path: Path) -> None:
    step = judge(tmp_path, target="http://127.0.0.1:9", reports="some/where else")
    assert step.code == 6
    assert step.outputs["verdict"] == "unreachable"
    assert (tmp_path / "work" / "some" / "where else" / "report.html").exists()


@pytest.mark.parametrize("names", [("reports",), tuple(name for name in ACTION["inputs"] if name != "reports")])
def test_what_stands_in_an_input_is_never_run(tmp_path: Path, names: tuple[str, ...]) -> None:
    evil = "$(touch owned)`touch owned`\"; touch owned; '; touch owned; #\n--evil=$(touch owned)"
    step = judge(tmp_path, **{"target": "http://127.0.0.1:9", **dict.fromkeys(names, evil)})
    assert step.code == 4
    assert not list(tmp_path.rglob("owned"))


def test_a_wrong_setting_is_named_and_leaves_no_verdict(tmp_path: Path) -> None:
    step = judge(tmp_path, target="mock", size="100")
    assert step.code == 4
    assert "LOCAL_DREAM_SIZE: '100': give WIDTHxHEIGHT" in step.said
    assert step.outputs == {"verdict": "", "reports": str(tmp_path / "work" / "local-dream-report")}
