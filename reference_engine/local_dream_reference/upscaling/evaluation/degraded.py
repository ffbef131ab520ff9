"""The held-out pictures as they come from phones, messengers and old pages: a few fixed ways to spoil them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from local_dream_reference.upscaling.training.degradations import SCALE, shrunk_bicubic
from local_dream_reference.upscaling.training.found_pictures import as_jpeg, blurred, gaussian_kernel, noisy, resized

Picture = NDArray[np.uint8]
Spoilt = Callable[[np.random.Generator, Picture], Picture]
"""(4h, 4w, 3) to (h, w, 3)."""


def _clean(rng: np.random.Generator, picture: Picture) -> Picture:
    return shrunk_bicubic(picture)


def _jpeg(rng: np.random.Generator, picture: Picture) -> Picture:
    return as_jpeg(shrunk_bicubic(picture), 50)


def _noise(rng: np.random.Generator, picture: Picture) -> Picture:
    return noisy(rng, shrunk_bicubic(picture), 8)


def _blur(rng: np.random.Generator, picture: Picture) -> Picture:
    return shrunk_bicubic(blurred(picture, gaussian_kernel(2.5, 2.5, 0)))


def _all(rng: np.random.Generator, picture: Picture) -> Picture:
    soft = blurred(picture, gaussian_kernel(1.5, 1.5, 0))
    small = resized(soft, picture.shape[0] // SCALE, picture.shape[1] // SCALE, Image.Resampling.BOX)
    return as_jpeg(noisy(rng, small, 5), 60)


WAYS: dict[str, Spoilt] = {
    "shrunk by bicubic": _clean,
    "then JPEG 50": _jpeg,
    "then noise 8": _noise,
    "blurred by 2.5 before": _blur,
    "blur 1.5, area, noise 5, JPEG 60": _all,
}
"""Name to way: blur and noise by their standard deviation, in pixels of the large picture and steps of 255."""


def spoilt(way: str, pictures: dict[str, Picture]) -> dict[str, Picture]:
    """The small pictures, always the same."""
    rng = np.random.default_rng([990_002, list(WAYS).index(way)])
    return {name: WAYS[way](rng, picture) for name, picture in pictures.items()}
