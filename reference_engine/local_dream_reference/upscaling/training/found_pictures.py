"""What pictures of unknown origin have been through: blur, shrinks, noise, JPEG, in varying order.

The chain follows the degradation models of BSRGAN (Zhang and others, 2021) and Real-ESRGAN (Wang and others, 2021),
milder: what phones and messengers do, not what cannot be undone.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from local_dream_reference.upscaling.training.degradations import SCALE

Picture = NDArray[np.uint8]
Kernel = NDArray[np.float32]
Step = Callable[[np.random.Generator, Picture], Picture]

_RADIUS = 12
"""Of a kernel of blur, in large pixels."""
_FILTERS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def gaussian_kernel(across: float, along: float, angle: float) -> Kernel:
    """Of two standard deviations in pixels, turned by ``angle`` (radians); sums to 1."""
    y, x = np.mgrid[-_RADIUS : _RADIUS + 1, -_RADIUS : _RADIUS + 1]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return _sums_to_one(np.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2)))


def disk_kernel(radius: float) -> Kernel:
    """A lens out of focus."""
    y, x = np.mgrid[-_RADIUS : _RADIUS + 1, -_RADIUS : _RADIUS + 1]
    return _sums_to_one(np.clip(radius + 0.5 - np.hypot(x, y), 0, 1))


def line_kernel(length: float, angle: float) -> Kernel:
    """A camera that moved straight on."""
    y, x = np.mgrid[-_RADIUS : _RADIUS + 1, -_RADIUS : _RADIUS + 1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return _sums_to_one(np.clip(1 - np.abs(across), 0, 1) * np.clip(length / 2 + 0.5 - np.abs(along), 0, 1))


def _sums_to_one(kernel: NDArray[np.float64]) -> Kernel:
    return np.asarray(kernel / kernel.sum(), np.float32)


def random_kernel(rng: np.random.Generator) -> Kernel:
    kind, angle = rng.random(), rng.uniform(0, np.pi)
    if kind < 0.45:
        deviation = _log_uniform(rng, 0.4, 3.6)
        return gaussian_kernel(deviation, deviation, 0)
    if kind < 0.7:
        return gaussian_kernel(_log_uniform(rng, 0.4, 3), _log_uniform(rng, 0.8, 4), angle)
    return disk_kernel(_log_uniform(rng, 0.8, 5)) if kind < 0.87 else line_kernel(_log_uniform(rng, 2, 12), angle)


def blurred(picture: Picture, kernel: Kernel) -> Picture:
    """Convolved, the border mirrored."""
    padded = np.pad(picture.astype(np.float32), ((_RADIUS,) * 2, (_RADIUS,) * 2, (0, 0)), "reflect")
    sides = padded.shape[:2]
    spectrum = np.fft.rfft2(kernel, sides)[..., None]
    mixed = np.fft.irfft2(np.fft.rfft2(padded, axes=(0, 1)) * spectrum, sides, axes=(0, 1))
    return _whole(mixed[2 * _RADIUS :, 2 * _RADIUS :])


def noisy(
    rng: np.random.Generator, picture: Picture, deviation: float, *, grey: bool = False, shot: bool = False
) -> Picture:
    """Gaussian noise of that deviation (in steps of 255); that of photons with ``shot``: more where it is light."""
    grain = rng.standard_normal((*picture.shape[:2], 1 if grey else 3)) * deviation
    if shot:
        grain = grain * np.sqrt(np.maximum(picture, 4) / 128)
    return _whole(picture + grain)


def as_jpeg(picture: Picture, quality: int, subsampling: int = 2) -> Picture:
    """Through a JPEG file; ``subsampling`` 0 keeps all colours, 2 a quarter of them."""
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(held).convert("RGB"))


def resized(picture: Picture, height: int, width: int, filter: Image.Resampling) -> Picture:
    return np.asarray(Image.fromarray(picture).resize((width, height), filter))


def _whole(picture: NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(picture + 0.5, 0, 255), np.uint8)


def _shrunk(rng: np.random.Generator, picture: Picture) -> Picture:
    """By 4, in one step or by way of another size."""
    height, width = picture.shape[:2]
    if rng.random() < 0.3:
        share = rng.uniform(0.3, 1.2)
        picture = resized(picture, max(round(height * share), 1), max(round(width * share), 1), _filter(rng))
    return resized(picture, height // SCALE, width // SCALE, _filter(rng))


def _filter(rng: np.random.Generator) -> Image.Resampling:
    return _FILTERS[int(rng.integers(len(_FILTERS)))]


def _some_noise(rng: np.random.Generator, picture: Picture) -> Picture:
    kind = rng.random()
    return noisy(rng, picture, _log_uniform(rng, 1, 16), grey=kind < 0.3, shot=kind > 0.7)


def _some_jpeg(rng: np.random.Generator, picture: Picture) -> Picture:
    return as_jpeg(picture, int(rng.integers(35, 96)), int(rng.choice([0, 2, 2])))


def shrunk_as_found(rng: np.random.Generator, picture: Picture) -> Picture:
    """A shrink by 4 through a random chain, (4h, 4w, 3) -> (h, w, 3): one in some thirty does nothing but shrink."""
    if rng.random() < 0.6:
        picture = blurred(picture, random_kernel(rng))
    if rng.random() < 0.15:
        picture = as_jpeg(picture, int(rng.integers(30, 91)))
    small = _shrunk(rng, picture)
    steps: list[Step] = []
    if rng.random() < 0.6:
        steps.append(_some_noise)
    if rng.random() < 0.75:
        steps.append(_some_jpeg)
    if rng.random() < 0.3:
        steps.reverse()
    for step in steps:
        small = step(rng, small)
    return small
