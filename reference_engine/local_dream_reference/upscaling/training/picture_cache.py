"""Training pictures drawn once, kept on disk as shards, cropped at random ever after.

The folder has one folder inside for each seed and softness, so that runs can share it.
A shard is two ``.npy`` files: ``NNNN-high.npy`` (n, 512, 512, 3) and ``NNNN-low.npy``
(n, 2, 128, 128, 3), both uint8 RGB. Low variant 0 is the antialiased bicubic shrink,
variant 1 a shrink as clients send it. A shard depends on nothing but
seed, softness and index.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from local_dream_reference.upscaling.training import drawings, pictures
from local_dream_reference.upscaling.training.degradations import SCALE, shrunk_as_sent, shrunk_bicubic
from local_dream_reference.upscaling.training.found_pictures import shrunk_as_found
from local_dream_reference.upscaling.training.textures import texture_bank

Picture = NDArray[np.uint8]
Batch = tuple[Picture, Picture]

SIDE = 512
SHARD = 32
_AROUND = 16
"""Small pixels beside a crop that is shrunk anew, both sides together."""
_BANK_FIELDS, _BANK_SIDE = 64, 512


@lru_cache(maxsize=1)
def _bank(seed: int) -> NDArray[np.float16]:
    return texture_bank(np.random.default_rng([seed, 1]), _BANK_SIDE, _BANK_FIELDS)


def draw_picture(seed: int, number: int, softness: float) -> Picture:
    """Picture ``number`` of the endless seeded series, RGB uint8 (512, 512, 3).

    ``softness`` is the share of natural-looking pictures that are softened, 0..1.
    """
    rng = np.random.default_rng([seed, 2, number])
    bank = _bank(seed)
    kinds: list[tuple[float, bool, Callable[[], Picture]]] = [
        (0.44, True, lambda: pictures.dead_leaves(rng, SIDE, bank)),
        (0.12, True, lambda: pictures.strokes(rng, SIDE, bank)),
        (0.12, True, lambda: pictures.facade(rng, SIDE, bank)),
        (0.06, True, lambda: pictures.clouds(rng, SIDE, bank)),
        (0.10, False, lambda: pictures.flat_illustration(rng, SIDE, bank)),
        (0.08, False, lambda: drawings.lettering(rng, SIDE)),
        (0.08, False, lambda: drawings.line_art(rng, SIDE)),
    ]
    choice = rng.choice(len(kinds), p=np.array([share for share, _, _ in kinds]))
    _, natural, draw = kinds[int(choice)]
    lens = np.random.default_rng([seed, 5, number])
    if natural and lens.random() < softness:
        return pictures.softened(lens, draw())
    return draw()


def _write_shard(folder: Path, seed: int, softness: float, index: int) -> int:
    high = np.empty((SHARD, SIDE, SIDE, 3), np.uint8)
    low = np.empty((SHARD, 2, SIDE // SCALE, SIDE // SCALE, 3), np.uint8)
    for row in range(SHARD):
        number = index * SHARD + row
        high[row] = draw_picture(seed, number, softness)
        low[row, 0] = shrunk_bicubic(high[row])
        low[row, 1] = shrunk_as_sent(np.random.default_rng([seed, 3, number]), high[row])
    for name, array in (("low", low), ("high", high)):
        unfinished = folder / f".{index:04d}-{name}.unfinished.npy"
        np.save(unfinished, array)
        unfinished.replace(folder / f"{index:04d}-{name}.npy")
    return index


def draw_missing(folder: Path, seed: int, softness: float, count: int, workers: int) -> Path:
    """Draw the shards that ``folder`` lacks for ``count`` pictures (rounded up to whole shards).

    Returns the folder inside in which the shards are.
    """
    folder = folder / f"seed-{seed}-softness-{softness:g}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = range(-(-count // SHARD))
    missing = [index for index in wanted if not (folder / f"{index:04d}-high.npy").exists()]
    if not missing:
        return folder
    with ProcessPoolExecutor(workers) as pool, tqdm(total=len(missing) * SHARD, desc="drawing", unit="picture") as bar:
        for job in as_completed([pool.submit(_write_shard, folder, seed, softness, index) for index in missing]):
            job.result()
            bar.update(SHARD)
    return folder


class PictureCache:
    """Random aligned crops out of the shards of one folder, read through the page cache."""

    def __init__(self, folder: Path, count: int) -> None:
        shards = range(-(-count // SHARD))
        self._high = [np.load(folder / f"{index:04d}-high.npy", mmap_mode="r") for index in shards]
        self._low = [np.load(folder / f"{index:04d}-low.npy", mmap_mode="r") for index in shards]

    def batch(
        self, rng: np.random.Generator, size: int, patch: int, as_sent_share: float, found_share: float = 0.0
    ) -> Batch:
        """``size`` pairs: low (size, patch, patch, 3) and high (size, 4 patch, 4 patch, 3), turned and mirrored."""
        low = np.empty((size, patch, patch, 3), np.uint8)
        high = np.empty((size, patch * SCALE, patch * SCALE, 3), np.uint8)
        for row in range(size):
            shard, inside = int(rng.integers(len(self._high))), int(rng.integers(SHARD))
            if found_share and rng.random() < found_share:
                _turn(rng, (low[row], high[row]), _found(rng, self._high[shard][inside], patch))
                continue
            y, x = (int(value) for value in rng.integers(0, SIDE // SCALE - patch + 1, 2))
            variant = int(rng.random() < as_sent_share)
            small = self._low[shard][inside, variant, y : y + patch, x : x + patch]
            large = self._high[shard][inside, y * SCALE : (y + patch) * SCALE, x * SCALE : (x + patch) * SCALE]
            _turn(rng, (low[row], high[row]), (small, large))
        return low, high


def _turn(rng: np.random.Generator, targets: Batch, sources: Batch) -> None:
    turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
    for target, source in zip(targets, sources, strict=True):
        turned = np.rot90(source, turns)
        target[:] = turned[:, ::-1] if mirrored else turned


def _found(rng: np.random.Generator, picture: Picture, patch: int) -> Batch:
    """A crop, shrunk with surroundings, so that blocks of JPEG begin anywhere and no border is seen."""
    around = min(patch + _AROUND, SIDE // SCALE)
    y, x = (int(value) for value in rng.integers(0, SIDE // SCALE - around + 1, 2))
    large = picture[y * SCALE : (y + around) * SCALE, x * SCALE : (x + around) * SCALE]
    small = shrunk_as_found(rng, large)
    y, x = (int(value) for value in rng.integers(0, around - patch + 1, 2))
    return small[y : y + patch, x : x + patch], large[y * SCALE : (y + patch) * SCALE, x * SCALE : (x + patch) * SCALE]
