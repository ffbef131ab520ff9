"""The table of looks has a row for each way and method, the sheet a column for each method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from local_dream_reference.upscaling import catalogue
from local_dream_reference.upscaling.evaluation import looks
from local_dream_reference.upscaling.evaluation.degraded import WAYS, spoilt
from local_dream_reference.upscaling.evaluation.published_weights import NotInstalled, as_convolutions
from tests.reference_engine.upscaling.networks_that_judge import VGG_WIDTHS, alexnet_arrays, vgg_arrays


@pytest.fixture(autouse=True)
def _small(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(0, 256, (200, 224, 3), np.uint8) for name in ("one", "two")}
    networks = {"alexnet": alexnet_arrays(), "vgg16": vgg_arrays()}
    channels = 3 + sum(VGG_WIDTHS[index] for index in (1, 3, 6, 9, 12))
    monkeypatch.setattr(catalogue, "SHIPPED", shipped)
    monkeypatch.setattr(looks, "photographs", lambda: pictures)
    monkeypatch.setattr(looks, "illustrations", lambda: {"three": pictures["one"]})
    monkeypatch.setattr(looks, "convolutions", lambda name: as_convolutions(networks[name]))
    monkeypatch.setattr(looks, "dists_weights", lambda: (torch.ones(1, channels, 1, 1), torch.ones(1, channels, 1, 1)))
    monkeypatch.setattr(looks, "_SHEET", {"one": "then JPEG 50", "three": "then noise 8"})


def test_table() -> None:
    result = CliRunner().invoke(looks.main, [])
    assert result.exit_code == 0, result.output
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in result.stdout.splitlines() if line]
    assert [row[0] for row in rows if row[1] == "enlarged by"] == ["photographs", "drawings"]
    photographs = rows[2 : 2 + 2 * len(WAYS)]
    assert [row[:2] for row in photographs] == [[way, name] for way in WAYS for name in ("bicubic", "tiny-x4")]
    assert all(float(row[2]) > 0 and float(row[4]) > 0 and 0 < float(row[5]) <= 1 for row in photographs)


def test_sheet(tmp_path: Path) -> None:
    result = CliRunner().invoke(looks.main, ["--sheet", str(tmp_path / "sheet.png")])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (4 * 192, 2 * 192)


def test_what_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise NotInstalled("pip install that")

    monkeypatch.setattr(looks, "convolutions", missing)
    result = CliRunner().invoke(looks.main, [])
    assert (result.exit_code, result.stderr) == (1, "Error: pip install that\n")
    assert "unknown upscaler 'other'" in CliRunner().invoke(looks.main, ["--model", "other"]).stderr


def test_pictures_are_spoilt_in_the_same_way_each_time_and_in_different_ways() -> None:
    steps = np.linspace(40, 200, 64).astype(np.uint8)
    picture = np.stack([np.add.outer(steps // 2, steps // 2)] * 3, axis=2)
    found = {way: spoilt(way, {"it": picture})["it"] for way in WAYS}
    assert all(small.shape == (16, 16, 3) for small in found.values())
    assert all(np.array_equal(small, spoilt(way, {"it": picture})["it"]) for way, small in found.items())
    assert len({small.tobytes() for small in found.values()}) == len(WAYS)
    blocks = picture.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    spread = {way: float(np.abs(small - blocks).mean()) for way, small in found.items()}
    assert spread["shrunk by bicubic"] < 1.5
    assert 5 < spread["then noise 8"] < 8
