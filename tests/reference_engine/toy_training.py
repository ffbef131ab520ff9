"""The whole training, at toy size."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from local_dream_reference.training.command import main, stages
from local_dream_reference.training.recipe import TOY


def train(work: Path) -> None:
    """Has the command run every stage in an empty folder."""
    words = ["all", "--work", str(work), "--recipe", "toy", "--device", "cpu", "--threads", "1"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert re.findall(r"(\w+): finished", result.output) == list(stages(TOY))
