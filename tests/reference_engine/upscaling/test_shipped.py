"""The shipped model is as good as its card says."""

from __future__ import annotations

import numpy as np
import pytest

from local_dream_reference.upscaling.catalogue import SHIPPED, Catalogue
from local_dream_reference.upscaling.evaluation.quality import Row, gains, mean, measured, methods
from local_dream_reference.upscaling.training.degradations import shrunk_bicubic
from local_dream_reference.upscaling.upscaler import Upscaler

pytest.importorskip("skimage", reason="measures on the sample pictures of scikit-image and scikit-learn")
pytest.importorskip("sklearn", reason="measures on the sample pictures of scikit-image and scikit-learn")


@pytest.fixture(scope="module")
def upscaler() -> Upscaler:
    return Upscaler(Catalogue())


def test_it_is_offered_first_and_small(upscaler: Upscaler) -> None:
    model = upscaler.models()[0]
    assert (model.name, model.file, model.architecture) == ("leaves-x4", "leaves-x4.safetensors", "compact 48x16")
    assert (SHIPPED / model.file).stat().st_size < 4e6


def test_photographs(upscaler: Upscaler) -> None:
    from local_dream_reference.upscaling.evaluation.photographs import photographs

    ways = methods(lambda small: upscaler.upscale(small, "default"))
    rows: dict[str, Row] = {name: measured(picture, ways) for name, picture in photographs().items()}
    average = mean(rows)
    assert average["network"].psnr - average["bicubic"].psnr > 1.74
    assert average["network"].ssim > average["lanczos"].ssim + 0.04
    assert min(gains(rows).values()) > 0.4
    assert max(row["network"].colour_shift for row in rows.values()) < 0.5


def test_drawings(upscaler: Upscaler) -> None:
    from local_dream_reference.upscaling.evaluation.illustrations import illustrations

    ways = methods(lambda small: upscaler.upscale(small, "default"))
    rows: dict[str, Row] = {name: measured(picture, ways) for name, picture in illustrations().items()}
    found = gains(rows)
    assert np.mean(list(found.values())) > 4.6
    assert min(found.values()) > 1
    assert max(row["network"].colour_shift for row in rows.values()) < 0.5


@pytest.mark.parametrize("name", ["astronaut", "lettering 1"])
def test_no_seams(upscaler: Upscaler, name: str) -> None:
    from local_dream_reference.upscaling.evaluation.illustrations import illustrations
    from local_dream_reference.upscaling.evaluation.photographs import photographs

    small = shrunk_bicubic({**photographs(), **illustrations()}[name])
    whole = upscaler.upscale(small, "default", tile=512).astype(int)
    tiled = upscaler.upscale(small, "default", tile=48).astype(int)
    assert np.abs(whole - tiled).max() <= 1


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 90), (1, 128, 254)])
def test_flat_colours_stay(upscaler: Upscaler, colour: tuple[int, int, int]) -> None:
    large = upscaler.upscale(np.full((20, 24, 3), colour, np.uint8), "default")
    assert np.abs(large.astype(int) - colour).max() <= 1
