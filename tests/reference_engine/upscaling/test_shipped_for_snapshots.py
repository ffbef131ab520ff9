"""The shipped network for spoilt pictures repairs what the faithful one keeps, and spares what is clean."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from local_dream_reference.upscaling.catalogue import SHIPPED, Catalogue
from local_dream_reference.upscaling.evaluation.degraded import spoilt
from local_dream_reference.upscaling.evaluation.measures import colour_shift, psnr
from local_dream_reference.upscaling.evaluation.photographs import Picture, photographs
from local_dream_reference.upscaling.evaluation.quality import resampling
from local_dream_reference.upscaling.training.degradations import shrunk_bicubic
from local_dream_reference.upscaling.training.found_pictures import noisy
from local_dream_reference.upscaling.upscaler import Upscaler

pytest.importorskip("skimage", reason="measures on the sample pictures of scikit-image and scikit-learn")
pytest.importorskip("sklearn", reason="measures on the sample pictures of scikit-image and scikit-learn")

NAME = "snapshots-x4"


@pytest.fixture(scope="module")
def upscaler() -> Upscaler:
    return Upscaler(Catalogue())


@pytest.fixture(scope="module")
def pictures() -> dict[str, Picture]:
    """A part of some: enough for a mean, and quickly enlarged."""
    some = ("astronaut", "camera", "coffee", "coins", "motorcycle_left", "rocket", "china", "flower")
    found = photographs()
    return {name: found[name][64:320, 64:320] for name in some}


def test_it_is_offered_beside_the_default_and_small(upscaler: Upscaler) -> None:
    names = [model.name for model in upscaler.models()]
    assert names == ["leaves-x4", NAME]
    assert upscaler.resolve("default") == "leaves-x4"
    assert upscaler.resolve(f"{NAME}.safetensors") == NAME
    assert (SHIPPED / f"{NAME}.safetensors").stat().st_size < 1e6


@pytest.mark.parametrize(
    ("way", "gain"),
    [
        ("then JPEG 50", 0.2),
        ("then noise 8", 0.12),
        ("blurred by 2.5 before", 0.3),
        ("blur 1.5, area, noise 5, JPEG 60", 0.25),
    ],
)
def test_spoilt_photographs_come_closer_than_with_the_faithful_one(
    upscaler: Upscaler, pictures: dict[str, Picture], way: str, gain: float
) -> None:
    small = spoilt(way, pictures)

    def mean(model: str) -> float:
        return float(np.mean([psnr(pictures[name], upscaler.upscale(small[name], model)) for name in pictures]))

    assert mean(NAME) > mean("leaves-x4") + gain


def test_clean_photographs_come_closer_than_with_bicubic(upscaler: Upscaler, pictures: dict[str, Picture]) -> None:
    bicubic = resampling(Image.Resampling.BICUBIC)
    gains = []
    for picture in pictures.values():
        small = shrunk_bicubic(picture)
        large = upscaler.upscale(small, NAME)
        gains.append(psnr(picture, large) - psnr(picture, bicubic(small)))
        assert colour_shift(small, large) < 0.5
    assert np.mean(gains) > 0.9
    assert min(gains) > 0.2


def test_noise_shrinks_and_edges_stay(upscaler: Upscaler) -> None:
    steps = np.full((64, 64, 3), 90, np.uint8)
    steps[:, 32:] = 170
    small = noisy(np.random.default_rng(0), steps, 8)
    left = {}
    for name in ("leaves-x4", NAME):
        large = upscaler.upscale(small, name).astype(float)
        left[name] = float(large[40:216, 20:108].std())
        assert large[40:216, 140:236].mean() - large[40:216, 20:116].mean() == pytest.approx(80, abs=2)
        assert large[40:216, 134:140].mean() - large[40:216, 116:122].mean() > 75
    assert left[NAME] < 0.85 * left["leaves-x4"]


def test_no_seams(upscaler: Upscaler, pictures: dict[str, Picture]) -> None:
    small = spoilt("then JPEG 50", {"it": pictures["astronaut"]})["it"]
    whole = upscaler.upscale(small, NAME, tile=512).astype(int)
    assert np.abs(whole - upscaler.upscale(small, NAME, tile=48).astype(int)).max() <= 1


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 90), (1, 128, 254)])
def test_flat_colours_stay(upscaler: Upscaler, colour: tuple[int, int, int]) -> None:
    large = upscaler.upscale(np.full((20, 24, 3), colour, np.uint8), NAME)
    assert np.abs(large.astype(int) - colour).max() <= 4
