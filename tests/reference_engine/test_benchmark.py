"""The benchmark of the engine runs. How fast anything is, no test says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_prints_its_tables(tiny_folder: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "engine.py"), "--model", str(tiny_folder), "--threads", "1"]
    command += ["--sides", "64", "--steps", "1", "--repeats", "1", "--runtimes", "torch", "--no-upscale"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^\| 64x64 \| [\d.]+ \([\d.]+\) \| [\d.]+ \([\d.]+\) \| torch (inf|[\d.]+) \|$", done.stdout, re.M
    )
    assert "Previews at every step (torch, 64x64): " in done.stdout
    assert re.search(r"^Start \(torch\): [\d.]+ s to ready", done.stdout, re.M)
