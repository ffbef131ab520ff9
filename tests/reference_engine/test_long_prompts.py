"""Prompts beyond what the text encoder reads at once: cut, and said so, or read in chunks."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local_dream_reference.engine import Picture, ReferenceEngine, create
from local_dream_reference.errors import UnusableModel
from tests.reference_engine.requests import Ask

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
PLAIN = {"device": "cpu", "dtype": "float32", "threads": "1"}
LONG = "a red house by the sea, " * 12
"""The tiny model has a token for each letter."""


@pytest.fixture(scope="module")
def chunking(tiny_folder: Path) -> ReferenceEngine:
    made = create({**PLAIN, "model": str(tiny_folder), "runtime": "torch", "long-prompts": "chunk"})
    assert isinstance(made, ReferenceEngine)
    return made


def picture(engine: Any, **fields: Any) -> np.ndarray:
    *_, last = engine.generate(Ask(**fields), lambda: False)
    assert isinstance(last, Picture)
    return last.rgb


def test_cutting_is_told_by_the_count_and_without_the_text(
    engine: ReferenceEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        made = picture(engine, prompt=LONG, negative_prompt=LONG)
    counted = engine.tokenize(LONG).count
    assert [record.message for record in caplog.records] == [
        f"{field}: {counted} tokens, of which the model reads 77" for field in ("prompt", "negative_prompt")
    ]
    assert np.array_equal(picture(engine, prompt=LONG + "blue", negative_prompt=LONG), made)


def test_chunks_are_read_to_their_end(chunking: ReferenceEngine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        made = picture(chunking, prompt=LONG)
        assert not np.array_equal(picture(chunking, prompt=LONG + "blue"), made)
        assert not np.array_equal(picture(chunking, prompt=LONG, negative_prompt=LONG), made)
        assert not np.array_equal(picture(chunking, prompt="x", negative_prompt=LONG), picture(chunking, prompt="x"))
        weighted = ((LONG, 1.0), ("blue", 1.4))
        assert not np.array_equal(picture(chunking, prompt=LONG + "blue", weights=weighted), made)
        assert np.array_equal(picture(chunking, prompt=LONG), made)
        picture(chunking, prompt=LONG * 80)
    assert caplog.records == []


def test_what_fits_is_drawn_as_ever(chunking: ReferenceEngine, tiny_folder: Path) -> None:
    cutting = create({**PLAIN, "model": str(tiny_folder), "runtime": "torch"})
    assert np.array_equal(picture(chunking), picture(cutting))


def test_openvino_gives_way(tiny_folder: Path) -> None:
    options = {**PLAIN, "model": str(tiny_folder), "long-prompts": "chunk"}
    assert "openvino" not in create(options).describe().device
    with pytest.raises(UnusableModel, match="runtime 'openvino' takes no prompts in chunks"):
        create({**options, "runtime": "openvino"})
    with pytest.raises(UnusableModel, match="'long_prompts': 'both' is not one of cut, chunk"):
        create({**options, "long-prompts": "both"})
