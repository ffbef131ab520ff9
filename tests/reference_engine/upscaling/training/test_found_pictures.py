"""What spoils training pictures: blur that moves nothing, noise as strong as said, chains that come again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from local_dream_reference.upscaling.training.found_pictures import (
    Kernel,
    Picture,
    as_jpeg,
    blurred,
    disk_kernel,
    gaussian_kernel,
    line_kernel,
    noisy,
    random_kernel,
    shrunk_as_found,
)
from local_dream_reference.upscaling.training.picture_cache import SIDE, PictureCache, draw_picture


@pytest.fixture(scope="module")
def picture() -> Picture:
    return draw_picture(7, 1, 0.8)[:256, :256]


@pytest.mark.parametrize(
    ("kernel", "spread"),
    [
        (gaussian_kernel(1.5, 1.5, 0), (1.5, 1.5)),
        (gaussian_kernel(1, 3, 0), (3, 1)),
        (gaussian_kernel(1, 3, np.pi / 2), (1, 3)),
        (disk_kernel(4), (2, 2)),
        (line_kernel(9, 0), (2.6, 0)),
    ],
)
def test_kernels_are_centred_and_as_wide_as_said(kernel: Kernel, spread: tuple[float, float]) -> None:
    y, x = np.mgrid[-12:13, -12:13]
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert [float((kernel * axis).sum()) for axis in (x, y)] == pytest.approx([0, 0], abs=1e-4)
    assert [float((kernel * axis**2).sum()) ** 0.5 for axis in (x, y)] == pytest.approx(list(spread), abs=0.25)


def test_blur_leaves_dots_and_flat_places_where_they_are() -> None:
    flat = np.full((64, 64, 3), (10, 128, 250), np.uint8)
    dot = np.zeros((64, 64, 3), np.uint8)
    dot[20, 30] = 255
    for seed in range(12):
        kernel = random_kernel(np.random.default_rng(seed))
        assert np.array_equal(blurred(flat, kernel), flat)
        seen = blurred(dot, kernel)[..., 0]
        assert seen[20, 30] == seen.max()


def test_noise_is_as_strong_as_said() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    grain = noisy(np.random.default_rng(0), grey, 6).astype(float) - 128
    assert grain.std() == pytest.approx(6, rel=0.03)
    assert abs(grain.mean()) < 0.1
    assert np.ptp(noisy(np.random.default_rng(0), grey, 6, grey=True), axis=2).max() == 0
    dark, light = (noisy(np.random.default_rng(0), np.full_like(grey, level), 6, shot=True) for level in (32, 200))
    assert dark.std() < 0.6 * light.std()


def test_a_lower_quality_costs_more(picture: Picture) -> None:
    errors = [np.abs(as_jpeg(picture, quality).astype(int) - picture).mean() for quality in (95, 70, 40)]
    assert errors == sorted(errors)


def test_chains_differ_come_again_and_move_nothing(picture: Picture) -> None:
    blocks = picture.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    shifted = np.roll(blocks, 2, axis=(0, 1))
    small = [shrunk_as_found(np.random.default_rng(seed), picture) for seed in range(40)]
    assert np.array_equal(small[5], shrunk_as_found(np.random.default_rng(5), picture))
    assert len({each.tobytes() for each in small}) == 40
    near = [np.abs(each - blocks).mean() for each in small]
    far = [np.abs(each - shifted).mean() for each in small]
    assert all(each.shape == (64, 64, 3) for each in small)
    assert all(ours < theirs for ours, theirs in zip(near, far, strict=True))
    assert min(near) < 3
    assert max(near) > 2 * min(near)


def test_crops_of_found_pictures_show_the_same_place(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    high = np.stack([draw_picture(7, number, 0.8) for number in range(2)] * 16)
    assert high.shape == (32, SIDE, SIDE, 3)
    np.save(tmp_path / "0000-high.npy", high)
    np.save(tmp_path / "0000-low.npy", np.zeros((32, 2, SIDE // 4, SIDE // 4, 3), np.uint8))
    cache = PictureCache(tmp_path, 32)
    low, large = cache.batch(rng, 24, 48, 0.0, 1.0)
    blocks = large.reshape(24, 48, 4, 48, 4, 3).mean(axis=(2, 4))
    assert np.abs(low - blocks).mean() < 0.5 * np.abs(low[::-1] - blocks).mean()
    some = cache.batch(np.random.default_rng(1), 32, 48, 0.0, 0.5)[0]
    assert 6 < sum(bool(crop.any()) for crop in some) < 26
    widest = cache.batch(rng, 1, 128, 0.0, 1.0)
    assert (widest[0].shape, widest[1].shape) == ((1, 128, 128, 3), (1, 512, 512, 3))
