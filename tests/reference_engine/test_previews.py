"""How large previews are decoded, and what they show."""

from __future__ import annotations

import numpy as np
import pytest

from local_dream_reference.engine import Picture, Step, create
from local_dream_reference.previews import enlarged, preview_scale
from tests.reference_engine.requests import Ask

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.mark.parametrize(
    ("step", "total", "side", "expected"),
    [(1, 20, 64, 4), (18, 20, 64, 4), (19, 20, 64, 2), (20, 20, 64, 1), (1, 20, 40, 2), (1, 20, 31, 1), (1, 1, 64, 1)],
)
def test_early_previews_are_decoded_small(step: int, total: int, side: int, expected: int) -> None:
    assert preview_scale(step, total, (side, side + 8)) == expected


def test_previews_have_the_size_of_the_picture() -> None:
    assert enlarged(np.zeros((7, 9, 3), np.uint8), 28, 37).shape == (28, 37, 3)


def test_previews_of_the_shipped_model_look_like_its_guesses() -> None:
    engine = create({"device": "cpu", "dtype": "float32", "threads": "1", "runtime": "torch"})
    ask = Ask(steps=4, width=256, height=256, previews=True, prompt="a red house")
    *steps, last = engine.generate(ask, lambda: False)
    assert isinstance(last, Picture)
    previews = [step.preview for step in steps if isinstance(step, Step) and step.preview is not None]
    differences = [float(np.abs(preview.astype(int) - last.rgb).mean()) for preview in previews]
    assert differences[3] == 0.0
    assert differences[2] < 12
    assert differences == sorted(differences, reverse=True)
