"""Picture quality in numbers: PSNR and SSIM on luma, and the colour shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Luma = NDArray[np.float64]

BORDER = 4
"""Pixels left out along each side, as is usual for a fourfold enlargement."""


def luma(picture: Picture) -> Luma:
    """BT.601 luma in 16..235, the convention of published super-resolution figures."""
    weights = np.array([65.481, 128.553, 24.966]) / 255
    inner = picture[BORDER:-BORDER, BORDER:-BORDER].astype(np.float64)
    return np.asarray(inner @ weights + 16, np.float64)


def psnr(expected: Picture, got: Picture) -> float:
    """Peak signal to noise ratio of the luma in dB; infinite for equal pictures."""
    error = float(np.mean((luma(expected) - luma(got)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def _smooth(field: Luma) -> Luma:
    """An 11-tap Gaussian of sigma 1.5 over the part of the field where it fits."""
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    windows = np.lib.stride_tricks.sliding_window_view
    rows = windows(field, 11, axis=0) @ (taps / taps.sum())
    return np.asarray(windows(rows, 11, axis=1) @ (taps / taps.sum()), np.float64)


def ssim(expected: Picture, got: Picture) -> float:
    """Structural similarity of the luma (Gaussian window of sigma 1.5), at most 1."""
    x, y = luma(expected), luma(got)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

    mean_x, mean_y = _smooth(x), _smooth(y)
    var_x, var_y = _smooth(x * x) - mean_x**2, _smooth(y * y) - mean_y**2
    covariance = _smooth(x * y) - mean_x * mean_y
    top = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    bottom = (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    return float(np.mean(top / bottom))


def colour_shift(small: Picture, large: Picture) -> float:
    """Largest difference of a channel's mean between a picture and its enlargement, in 0..255."""
    return float(np.max(np.abs(small.mean(axis=(0, 1)) - large.mean(axis=(0, 1)))))
