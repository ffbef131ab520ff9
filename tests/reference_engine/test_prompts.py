"""Prompts: weights, length, tokens, odd characters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from local_dream_reference.engine import ReferenceEngine
from local_dream_reference.pipelines import LONGEST_PROMPT, cut
from tests.reference_engine.drawing import draw
from tests.reference_engine.requests import Ask, noise

# diffusers 0.42 turns a tensor into an array in a way that numpy 2.4 will not allow for ever.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.mark.parametrize("task", ["text", "image", "mask"])
def test_the_picture_follows_the_weights_of_a_prompt(engine: ReferenceEngine, task: str) -> None:
    pictures = {"text": {}, "image": {"image": noise()}, "mask": {"image": noise(), "mask": noise()[..., 0]}}[task]
    plain = draw(engine, **pictures)
    assert np.array_equal(draw(engine, weights=(("a", 1.0), ("red house", 1.0)), **pictures), plain)
    more = draw(engine, weights=(("a", 1.0), ("red house", 1.4)), **pictures)
    less = draw(engine, weights=(("a", 1.0), ("red house", 0.5)), **pictures)
    assert not np.array_equal(more, plain)
    assert not np.array_equal(less, plain)
    assert not np.array_equal(draw(engine, negative_weights=(("night", 1.4),), **pictures), plain)
    assert np.array_equal(draw(engine, weights=(("a", 1.0), ("red house", 1.4)), **pictures), more)


def test_a_weighted_prompt_may_be_longer_than_what_is_read(engine: ReferenceEngine) -> None:
    parts = (("a red house", 1.0), *(("by the sea", 0.8),) * 500)
    assert draw(engine, steps=1, weights=parts).shape == (64, 64, 3)
    assert draw(engine, steps=1, weights=(("sea " * 30_000, 1.2),)).shape == (64, 64, 3)


def test_long_prompts_are_cut_and_never_reach_the_log(
    engine: ReferenceEngine, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    draw(engine, prompt="secret " * 150_000, negative_prompt="hidden " * 1000, steps=1)
    output = capfd.readouterr()
    for word in ("secret", "hidden"):
        assert word not in caplog.text + output.out + output.err


def test_cutting_keeps_all_that_a_model_can_see() -> None:
    assert cut("  a \n red\thouse ") == "a red house"
    assert len(cut("x" * 1_000_000)) == LONGEST_PROMPT
    assert cut(" " * 100_000 + "house") == "house"


@pytest.mark.parametrize(
    "prompt",
    ["", "\U0001d525\U0001d52c \U0001f3e0", "\x00\u202e", "<|endoftext|> <|startoftext|>", "(house:1.3) [boat]"],
)
def test_odd_prompts_make_pictures(engine: ReferenceEngine, prompt: str) -> None:
    assert draw(engine, prompt=prompt, negative_prompt=prompt, steps=1).shape == (64, 64, 3)


def test_tokens_are_counted_with_their_marks(engine: ReferenceEngine) -> None:
    assert engine.tokenize("ab").count == 4
    assert engine.tokenize("ab").max_length == 77
    assert engine.tokenize("ab").overflow_offset is None
    # One letter is one token here: 75 fit between the two marks.
    assert engine.tokenize("a " * 75).overflow_offset is None
    long = engine.tokenize("a " * 80)
    assert (long.count, long.overflow_offset) == (82, 150)


def test_prompts_are_counted_while_a_picture_is_made(engine: ReferenceEngine) -> None:
    long = "a " * 200
    expected = engine.tokenize(long)
    counts = [engine.tokenize(long) for _ in engine.generate(Ask(prompt=long, steps=5), lambda: False)]
    assert counts == [expected] * 6
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(engine.tokenize, [long] * 64)) == {expected}
