"""Held-out photographs: every camera picture that scikit-image and scikit-learn install.

They are for evaluation only; nothing is ever trained on them. Left out are drawings,
masks, test patterns, what is under 128 pixels a side, and the right half of the stereo
pair, which shows the same scene as the left. Both packages are development dependencies.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]

_PHOTOGRAPHS = {
    "skimage.data": (
        "astronaut.png",
        "brick.png",
        "camera.png",
        "cell.png",
        "chelsea.png",
        "clock_motion.png",
        "coffee.png",
        "coins.png",
        "grass.png",
        "gravel.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "moon.png",
        "motorcycle_left.png",
        "page.png",
        "retina.jpg",
        "rocket.jpg",
        "text.png",
    ),
    "sklearn.datasets.images": ("china.jpg", "flower.jpg"),
}


def photographs() -> dict[str, Picture]:
    """Name to RGB uint8 picture, cropped to a multiple of 4 a side; grey ones as three equal channels.

    Raises ModuleNotFoundError when scikit-image or scikit-learn is not installed.
    """
    found: dict[str, Picture] = {}
    for package, names in _PHOTOGRAPHS.items():
        for name in names:
            with files(package).joinpath(name).open("rb") as stream, Image.open(stream) as image:
                picture = np.asarray(image.convert("RGB"))
            height, width = (side // 4 * 4 for side in picture.shape[:2])
            found[Path(name).stem] = picture[:height, :width]
    return found
