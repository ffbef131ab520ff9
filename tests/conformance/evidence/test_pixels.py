"""What is measured of pixels: likeness, ways to fit, what lies away from a mask's seam."""

from __future__ import annotations

import numpy as np
import pytest

from local_dream_conformance.evidence.pixels import away_from_seam, contrast, distance, fits, psnr, shrink
from local_dream_conformance.scenarios.test_images import card

CARD = card(40, 24)


def test_likeness() -> None:
    assert psnr(CARD, CARD) == float("inf")
    assert psnr(np.zeros_like(CARD), np.full_like(CARD, 255)) == 0
    one_off = CARD.copy()
    one_off[0, 0, 0] += 1
    assert psnr(CARD, one_off) > 80
    assert distance(np.zeros_like(CARD), np.full_like(CARD, 255)) == 255
    region = np.zeros((24, 40), np.bool_)
    region[0, 0] = True
    assert distance(CARD, one_off, region) == pytest.approx(1 / 3)
    assert contrast(CARD) > 100
    assert contrast(np.full_like(CARD, 7)) == 0


def test_shrinking_undoes_an_enlargement() -> None:
    assert np.array_equal(shrink(CARD.repeat(4, axis=0).repeat(4, axis=1), 4), CARD)


def test_ways_to_fit() -> None:
    ways = fits(card(96, 32), (64, 64))
    assert {way: picture.shape for way, picture in ways.items()} == dict.fromkeys(
        ("stretch", "cover", "contain"), (64, 64, 3)
    )
    assert psnr(ways["stretch"], card(64, 64)) > 35
    assert not ways["contain"][0].any()
    assert ways["cover"].all(axis=2).all()


def test_ways_that_come_to_the_same_are_one() -> None:
    ways = fits(card(96, 32), (192, 64))
    assert ways["stretch"] is ways["cover"] is ways["contain"]
    assert len({id(way) for way in fits(card(96, 32), (64, 64)).values()}) == 3


def test_away_from_the_seam() -> None:
    white = np.zeros((24, 40), np.bool_)
    white[:18, 20:] = True
    kept, repainted = away_from_seam(white, 4)
    assert not (kept & white).any()
    assert (repainted <= white).all()
    assert kept[:, :16].all()
    assert not kept[0:18, 16:20].any()
    assert repainted[0, 24:].all()
    assert not repainted[:18, 20:24].any()
    everything, nothing = away_from_seam(np.zeros((4, 4), np.bool_), 100)
    assert everything.all()
    assert not nothing.any()
