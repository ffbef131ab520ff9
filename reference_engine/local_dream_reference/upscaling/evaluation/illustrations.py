"""Held-out drawings: none of them, nor anything drawn by the same seed, is trained on.

Three are drawings that scikit-image installs, six are scenes of the illustrated world
(which the upscaler's training does not draw at all), and the rest line art and lettering
from the training's own pens, with a seed of their own.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from local_dream_reference.synthetic_dataset.painter import paint
from local_dream_reference.synthetic_dataset.scene import sample_scene
from local_dream_reference.upscaling.training.drawings import lettering, line_art

Picture = NDArray[np.uint8]

_SIDE = 512
_SEED = 990_001
_INSTALLED = ("horse.png", "logo.png", "phantom.png")


def illustrations() -> dict[str, Picture]:
    """Name to RGB uint8 picture, each side a multiple of 4.

    Raises ModuleNotFoundError when scikit-image is not installed.
    """
    found: dict[str, Picture] = {}
    for name in _INSTALLED:
        with files("skimage.data").joinpath(name).open("rb") as stream, Image.open(stream) as image:
            drawn = image.convert("RGBA")
        page = Image.new("RGBA", drawn.size, "white")
        page.alpha_composite(drawn)
        picture = np.asarray(page.convert("RGB"))
        height, width = (side // 4 * 4 for side in picture.shape[:2])
        found[name.removesuffix(".png")] = picture[:height, :width]
    for number in range(6):
        rng = np.random.default_rng([_SEED, 0, number])
        found[f"scene {number + 1}"] = np.asarray(paint(sample_scene(rng), _SIDE, _SIDE, rng).image)
    for number in range(4):
        found[f"line art {number + 1}"] = line_art(np.random.default_rng([_SEED, 1, number]), _SIDE)
        found[f"lettering {number + 1}"] = lettering(np.random.default_rng([_SEED, 2, number]), _SIDE)
    return found
