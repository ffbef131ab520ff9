"""The evaluation command prints a row per picture and a mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from local_dream_reference.upscaling import catalogue
from local_dream_reference.upscaling.evaluation import __main__ as command


@pytest.fixture(autouse=True)
def _small(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(0, 256, (64, 80, 3), np.uint8) for name in ("one", "two")}
    monkeypatch.setattr(catalogue, "SHIPPED", shipped)
    monkeypatch.setattr(command, "photographs", lambda: pictures)
    monkeypatch.setattr(command, "illustrations", lambda: pictures)


def test_table() -> None:
    result = CliRunner().invoke(command.main, [])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    photographs = lines[: lines.index("")]
    assert [line.split(" | ")[0] for line in photographs] == [
        "| photograph",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        "| one",
        "| two",
        "| **mean**",
    ]
    assert len({line.count("|") for line in photographs}) == 1
    cells = [float(cell) for cell in photographs[2].strip("| ").split(" | ")[1:]]
    assert cells[4] == pytest.approx(cells[3] - cells[1], abs=0.011)
    assert lines[lines.index("") + 1].startswith("Smallest gain ")


def test_an_unknown_model_is_one_line() -> None:
    result = CliRunner().invoke(command.main, ["--model", "other"])
    assert result.exit_code == 1
    assert result.stderr == "Error: unknown upscaler 'other': use one of default, tiny-x4\n"
