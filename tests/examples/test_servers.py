"""The servers in examples/servers: small, and conformant in both profiles, with no SHOULD broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.examples.servers import EXAMPLES, SERVERS, running

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 200
"""Lines of the file that speaks HTTP."""


def judged(url: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--target", url, "--upscaler-path", "default", *options]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("name", EXAMPLES)
def test_conformant_in_core_and_hardened(name: str, tmp_path: Path) -> None:
    example = EXAMPLES[name]
    if missing := example.missing():
        if os.environ.get("CI"):
            pytest.fail(f"CI needs {missing}")
        pytest.skip(f"needs {missing}")
    example.make(tmp_path)
    with running(example, tmp_path, step_ms=20) as url:
        for options in ([], ["--profile", "hardened", "--strict"]):
            done = judged(url, tmp_path, *options)
            assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_short_enough_to_read(name: str) -> None:
    example = EXAMPLES[name]
    assert len((example.folder / example.sources[0]).read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_readme_tells_the_job_that_proves_it(name: str) -> None:
    text = (SERVERS / name / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (job,) = yaml.safe_load(block)["jobs"].values()
    (call,) = [step for step in job["steps"] if step.get("uses", "").startswith("OWNER/REPOSITORY@")]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert call["with"].keys() <= action["inputs"].keys()
    wanted = {"profile": "hardened", "strict": True, "upscaler-path": "default"}
    assert wanted.items() <= call["with"].items()
    scripts = [step["run"] for step in job["steps"] if "run" in step]
    assert all(subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0 for script in scripts)
    assert any(example_command(name) in script for script in scripts)


def example_command(name: str) -> str:
    """How a reader starts it."""
    return {"fastapi": "python server.py", "go": "go run .", "node": "node server.js"}[name]
