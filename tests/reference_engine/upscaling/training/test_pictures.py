"""Drawn pictures are full of detail, differ, and come again from the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from local_dream_reference.upscaling.training import drawings, pictures
from local_dream_reference.upscaling.training.degradations import shrunk_as_sent, shrunk_bicubic
from local_dream_reference.upscaling.training.textures import power_law_noise, texture_bank

NATURAL = [
    pictures.dead_leaves,
    pictures.strokes,
    pictures.facade,
    pictures.clouds,
    pictures.flat_illustration,
]
DRAWN = [drawings.lettering, drawings.line_art]


@pytest.fixture(scope="module")
def bank() -> pictures.Bank:
    return texture_bank(np.random.default_rng(0), 64, 8)


@pytest.mark.parametrize("draw", NATURAL, ids=lambda draw: draw.__name__)
def test_natural_pictures(draw: pictures.Draw, bank: pictures.Bank) -> None:
    first, again, other = (draw(np.random.default_rng(seed), 96, bank) for seed in (1, 1, 2))
    assert first.shape == (96, 96, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.std() > 3


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_drawings(draw: drawings.Draw) -> None:
    first, again, other = (draw(np.random.default_rng(seed), 96) for seed in (1, 1, 2))
    assert first.shape == (96, 96, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.std() > 3


def test_textures_wrap_round_and_are_standardised(bank: pictures.Bank) -> None:
    noise = power_law_noise(np.random.default_rng(0), 128, 1.5)
    assert abs(float(noise.mean())) < 1e-3
    assert float(noise.std()) == pytest.approx(1, abs=1e-3)
    inner = np.abs(np.diff(noise, axis=0)).mean()
    seam = np.abs(noise[0] - noise[-1]).mean()
    assert seam < 2 * inner
    assert bank.shape == (8, 64, 64)


def test_a_steeper_spectrum_is_smoother() -> None:
    rough, smooth = (power_law_noise(np.random.default_rng(0), 128, exponent) for exponent in (0.5, 2.0))
    assert np.abs(np.diff(rough)).mean() > 2 * np.abs(np.diff(smooth)).mean()


def test_shrinking_keeps_the_mean_and_the_place(bank: pictures.Bank) -> None:
    large = pictures.dead_leaves(np.random.default_rng(0), 128, bank)
    clean = shrunk_bicubic(large)
    assert clean.shape == (32, 32, 3)
    blocks = large.reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(clean - blocks).mean() < 8
    for seed in range(12):
        sent = shrunk_as_sent(np.random.default_rng(seed), large)
        assert sent.shape == (32, 32, 3)
        assert np.abs(sent - blocks).mean() < 20
        assert not np.array_equal(sent, clean)
