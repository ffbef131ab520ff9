"""Classifiers with few channels, in the place of AlexNet and VGG16."""

from __future__ import annotations

from typing import Any

import numpy as np

VGG_WIDTHS = (4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 7, 7)
ALEXNET_WIDTHS = (4, 5, 6, 6, 6)


def arrays(widths: tuple[int, ...], kernels: tuple[int, ...], compared: tuple[int, ...]) -> dict[str, Any]:
    """In flax's layout: kernels (h, w, in, out), and a linear layer for each layer that LPIPS compares."""
    rng = np.random.default_rng(0)
    network, before = {}, 3
    for index, (width, side) in enumerate(zip(widths, kernels, strict=True)):
        spread = (before * side * side / 2) ** -0.5
        kernel = rng.normal(0, spread, (side, side, before, width)).astype(np.float32)
        network[f"Conv_{index}"] = {"kernel": kernel, "bias": np.zeros(width, np.float32)}
        before = width
    linear = {
        f"NetLinLayer_{number}": {"Conv_0": {"kernel": rng.random((1, 1, widths[index], 1), np.float32)}}
        for number, index in enumerate(compared)
    }
    return {"Classifier_0": network, **linear}


def vgg_arrays() -> dict[str, Any]:
    return arrays(VGG_WIDTHS, (3,) * 13, (1, 3, 6, 9, 12))


def alexnet_arrays() -> dict[str, Any]:
    return arrays(ALEXNET_WIDTHS, (11, 5, 3, 3, 3), (0, 1, 2, 3, 4))
