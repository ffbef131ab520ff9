"""The quality figures are the usual ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from local_dream_reference.upscaling.evaluation.measures import BORDER, colour_shift, luma, psnr, ssim
from local_dream_reference.upscaling.evaluation.photographs import photographs
from local_dream_reference.upscaling.evaluation.quality import gains, mean, measured, methods

skimage_metrics = pytest.importorskip("skimage.metrics", reason="a development dependency of the evaluation")


def _photograph() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return photographs()["astronaut"]


def test_psnr_and_ssim_agree_with_scikit_image() -> None:
    picture = _photograph()
    blurred = np.asarray(Image.fromarray(picture).resize((128, 128), 3).resize((512, 512), 3))
    ours, theirs = luma(picture), luma(blurred)
    assert psnr(picture, blurred) == pytest.approx(
        skimage_metrics.peak_signal_noise_ratio(ours, theirs, data_range=255), abs=1e-6
    )
    expected = skimage_metrics.structural_similarity(
        ours, theirs, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    assert ssim(picture, blurred) == pytest.approx(expected, abs=1e-6)


def test_equal_pictures_are_perfect() -> None:
    picture = _photograph()
    assert psnr(picture, picture) == float("inf")
    assert ssim(picture, picture) == pytest.approx(1)
    assert colour_shift(picture, picture) == 0


def test_the_border_does_not_count() -> None:
    picture = _photograph()
    framed = picture.copy()
    framed[:BORDER] = framed[-BORDER:] = 0
    assert psnr(picture, framed) == float("inf")


def test_colour_shift_finds_one_tinted_channel() -> None:
    small = np.full((4, 4, 3), 100, np.uint8)
    large = np.full((16, 16, 3), 100, np.uint8)
    large[..., 2] += 2
    assert colour_shift(small, large) == 2


def test_photographs_are_whole_and_fourfold() -> None:
    found = photographs()
    assert len(found) == 20
    assert all(side % 4 == 0 for picture in found.values() for side in picture.shape[:2])
    assert all(picture.ndim == 3 and picture.dtype == np.uint8 for picture in found.values())


def test_rows_means_and_gains() -> None:
    picture = _photograph()[:128, :128]
    ways = methods(lambda small: np.asarray(Image.fromarray(small).resize((128, 128), Image.Resampling.LANCZOS)))
    rows = {"a": measured(picture, ways), "b": measured(picture[::-1], ways)}
    assert rows["a"]["network"] == rows["a"]["lanczos"]
    assert rows["a"]["nearest"].psnr < rows["a"]["bicubic"].psnr < rows["a"]["lanczos"].psnr
    assert mean(rows)["bicubic"].psnr == pytest.approx((rows["a"]["bicubic"].psnr + rows["b"]["bicubic"].psnr) / 2)
    assert gains(rows)["a"] == rows["a"]["lanczos"].psnr - rows["a"]["bicubic"].psnr
