"""The benchmarks run. How fast anything is, no test says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.__main__ import PAGE, PARTS, written

ROOT = Path(__file__).resolve().parents[2]
SIGNS = {
    "checkpoints": r"^\| 1.x, 0.2 GiB \| cpu \(.*\) \| any \| [\d.]+ ",
    "upscaling": r"^\| 32x32 \| 128x128 \| [\d.]+ ",
    "servers": r"^\| bare Starlette, the same bytes \| [\d,]+ \| [\d.]+ \| [\d,]+ \| ",
    "suite": r"^\| core \| 1\d\d \| [\d.]+ \| [\d.]+ \| ",
    "growth": r"^\| requirements judged \(mock\) \| \d+ \|$",
    "replicas": r"^\| 1 \| [\d.]+ \| 1.00 \| ",
}


def ran(*command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCAL_DREAM_")}
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_engine(tmp_path: Path) -> None:
    from tests.reference_engine.tiny_model import save_folder

    words = ["--model", str(save_folder(tmp_path / "tiny")), "--threads", "1", "--runtimes", "torch", "--no-upscale"]
    printed = ran("benchmarks.engine", *words, "--sides", "64", "--steps", "1", "--repeats", "1")
    assert re.search(r"^\| 64x64 \| [\d.]+ \([\d.]+\) \| [\d.]+ \([\d.]+\) \| torch (inf|[\d.]+) \|$", printed, re.M)
    assert "Previews at every step (torch, 64x64): " in printed
    assert re.search(r"^Start \(torch\): [\d.]+ s to ready", printed, re.M)


@pytest.mark.parametrize("part", sorted(PARTS.keys() - {"engine"}))
def test_each_part_in_its_smallest_sizes(part: str) -> None:
    if part == "servers" and not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    if part == "replicas" and not find_spec("ray"):
        pytest.skip("ray is not installed")
    assert re.search(SIGNS[part], ran("benchmarks", "--smoke", "--only", part), re.MULTILINE)


def test_growth_is_drawn(tmp_path: Path) -> None:
    """In a process of its own: matplotlib beside torch and OpenVINO has ended one that went on to other tests."""
    if not find_spec("matplotlib"):
        pytest.skip("matplotlib is not installed")
    curves = {"megapixels, s": [(0.1, 1.0), (0.2, 2.0)], "steps, s": [(1.0, 1.0)]}
    path = tmp_path / "a" / "growth.svg"
    code = f"from pathlib import Path; from benchmarks.growth import plot; plot({curves}, Path({str(path)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert path.read_text(encoding="utf-8").count("axes_") >= 2


def test_the_page_can_be_read_again_part_by_part() -> None:
    sections, titles = written(PAGE), [title for title, _, _ in PARTS.values()]
    assert len(sections) >= 6
    assert list(sections) == [title for title in titles if title in sections]
    assert all("|" in text for text in sections.values())
