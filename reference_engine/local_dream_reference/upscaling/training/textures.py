"""Procedural textures: periodic fields that fill the surfaces of drawn pictures.

Every field is float32 of shape (side, side), mean 0 and standard deviation 1, and
wraps around at its borders, so that any offset into it is a valid crop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def _standardised(field: NDArray[np.floating]) -> Field:
    centred = field - field.mean()
    return np.asarray(centred / max(float(centred.std()), 1e-6), np.float32)


def power_law_noise(
    rng: np.random.Generator, side: int, exponent: float, stretch: float = 1.0, angle: float = 0.0
) -> Field:
    """Noise whose amplitude falls as 1/f**exponent, as that of natural pictures does.

    ``stretch`` > 1 makes it grainy along ``angle`` (radians): fur, bark, brushed metal.
    """
    fy = np.fft.fftfreq(side)[:, None]
    fx = np.fft.rfftfreq(side)[None, :]
    along = fx * np.cos(angle) + fy * np.sin(angle)
    across = fy * np.cos(angle) - fx * np.sin(angle)
    radius = np.sqrt((along * stretch) ** 2 + across**2)
    radius[0, 0] = np.inf
    amplitude = np.maximum(radius, 1.0 / side) ** -exponent
    amplitude[0, 0] = 0.0
    spectrum = np.fft.rfft2(rng.standard_normal((side, side)))
    return _standardised(np.fft.irfft2(spectrum * amplitude, s=(side, side)))


def grating(rng: np.random.Generator, side: int, square: bool) -> Field:
    """Stripes of a whole number of periods: cloth, louvres, railings."""
    cycles = float(np.exp(rng.uniform(np.log(6), np.log(side / 7))))
    angle = rng.uniform(0, np.pi)
    kx, ky = round(cycles * np.cos(angle)), round(cycles * np.sin(angle))
    if kx == 0 and ky == 0:
        kx = 6
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    wave = np.sin(2 * np.pi * (kx * x + ky * y)) * 3.0
    return _standardised(np.clip(wave * (8.0 if square else 0.3), -1, 1))


def spots(rng: np.random.Generator, side: int) -> Field:
    """Blobs with sharp borders: pebbles, foam, leopard."""
    noise = power_law_noise(rng, side, rng.uniform(1.2, 2.2), rng.uniform(1, 2), rng.uniform(0, np.pi))
    return _standardised(np.clip((noise - rng.uniform(-0.7, 0.7)) * rng.uniform(1.5, 9), -1, 1))


def wood(rng: np.random.Generator, side: int) -> Field:
    """Bent lines: wood, ripples, contour lines."""
    noise = power_law_noise(rng, side, rng.uniform(1.6, 2.4), rng.uniform(1, 4), rng.uniform(0, np.pi))
    return _standardised(np.sin(noise * rng.uniform(3, 14)))


def texture_bank(rng: np.random.Generator, side: int, count: int) -> NDArray[np.float16]:
    """``count`` fields of mixed kinds, shape (count, side, side), as float16 to stay small."""
    bank = np.empty((count, side, side), np.float16)
    for index in range(count):
        kind = rng.random()
        if kind < 0.5:
            field = power_law_noise(
                rng, side, rng.uniform(0.4, 1.8), float(np.exp(rng.uniform(0, 2.2))), rng.uniform(0, np.pi)
            )
        elif kind < 0.68:
            field = grating(rng, side, square=rng.random() < 0.5)
        elif kind < 0.85:
            field = spots(rng, side)
        else:
            field = wood(rng, side)
        bank[index] = np.clip(field, -4, 4)
    return bank
