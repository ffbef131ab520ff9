"""The model card: figures go into their blocks and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_dream_reference.model_card import fill


def test_blocks_are_filled_and_refilled(tmp_path: Path) -> None:
    card = fill(tmp_path, "training", "first \\1 figures")
    fill(tmp_path, "evaluation", "shares")
    fill(tmp_path, "training", "second figures")
    text = card.read_text()
    assert "<!-- measured: training -->\nsecond figures\n<!-- end: training -->" in text
    assert "<!-- measured: evaluation -->\nshares\n<!-- end: evaluation -->" in text
    assert "first" not in text.split("## Recipe")[1].split("## Measured")[0]
    assert text.startswith("# ")


def test_prose_that_somebody_wrote_stays(tmp_path: Path) -> None:
    card = fill(tmp_path, "training", "x")
    card.write_text(card.read_text() + "\nA note.\n")
    fill(tmp_path, "training", "y")
    assert card.read_text().endswith("\nA note.\n")


def test_an_unknown_block_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one block 'colour'"):
        fill(tmp_path, "colour", "x")
