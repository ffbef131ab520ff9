"""The suite judges the server alike with the page and without it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.conformance.judging import QUICK
from tests.mockserver.test_server import process

PACED = ("--pace-step", "0.03")
"""Slow enough that what is judged of generations that take time is judged in each run, on any machine."""


def outcomes(folder: Path, *options: str) -> dict[str, str]:
    """The outcome of each requirement of all profiles."""
    report = folder / "result.json"
    with process(*PACED, *options) as (_, url):
        words = ["--target", url, "--profile", "all", "--json-report", str(report)]
        line = [sys.executable, "-m", "pytest", *QUICK, *words]
        subprocess.run(line, cwd=folder, check=True, capture_output=True, timeout=300)
    found = json.loads(report.read_text(encoding="utf-8"))["requirements"]
    return {one["id"]: one["verdict"] for one in found}


def test_the_verdict_is_the_same_with_it_and_without(tmp_path: Path) -> None:
    with_it = outcomes(tmp_path)
    assert len(with_it) > 150
    assert outcomes(tmp_path, "--no-page") == with_it
