"""`local-dream upscalers` prints what a server would offer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from local_dream_reference.upscaling import catalogue
from local_dream_reference.upscaling.command import upscalers
from tests.reference_engine.upscaling.weights import rrdb_weights, write


@pytest.fixture(autouse=True)
def _shipped(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "SHIPPED", shipped)


def test_json_lists_the_default_first(folder: Path) -> None:
    write(folder / "a.pth", rrdb_weights())
    result = CliRunner().invoke(upscalers, ["--json", "--upscalers", str(folder)])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {"name": "tiny-x4", "file": "tiny-x4.safetensors", "scale": 4, "architecture": "compact 8x2"},
        {"name": "a", "file": "a.pth", "scale": 4, "architecture": "rrdb 8x1"},
    ]


def test_table_and_reasons(folder: Path) -> None:
    (folder / "noise.pth").write_bytes(b"noise")
    result = CliRunner().invoke(upscalers, ["--upscalers", str(folder)])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split() == ["tiny-x4", "tiny-x4.safetensors", "x4", "compact", "8x2"]
    assert result.stderr.startswith("not offered: noise.pth: is damaged or holds more than weights")


def test_a_missing_folder_is_one_line() -> None:
    result = CliRunner().invoke(upscalers, ["--upscalers", "/nowhere"])
    assert result.exit_code == 1
    assert result.stderr == "Error: the models folder /nowhere is not a folder\n"
