"""What happens to a picture before a client sends it: shrinking, blur, noise, JPEG."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Picture = NDArray[np.uint8]

SCALE = 4


def shrunk_bicubic(picture: Picture) -> Picture:
    """The clean case: an antialiased bicubic shrink by 4, (4h, 4w, 3) -> (h, w, 3)."""
    height, width = picture.shape[:2]
    small = Image.fromarray(picture).resize((width // SCALE, height // SCALE), Image.Resampling.BICUBIC)
    return np.asarray(small)


def shrunk_as_sent(rng: np.random.Generator, picture: Picture) -> Picture:
    """A shrink by 4 through one of the paths that real clients take."""
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    if rng.random() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 2.5))))
    filters = (
        Image.Resampling.BOX,
        Image.Resampling.BOX,
        Image.Resampling.BICUBIC,
        Image.Resampling.LANCZOS,
        Image.Resampling.BILINEAR,
    )
    small = image.resize((width // SCALE, height // SCALE), filters[int(rng.integers(0, len(filters)))])
    if rng.random() < 0.35:
        noise = rng.normal(0, rng.uniform(0.5, 5), (*small.size[::-1], 3))
        small = Image.fromarray(np.clip(np.asarray(small) + noise + 0.5, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        held = io.BytesIO()
        small.save(held, "JPEG", quality=int(rng.integers(55, 97)), subsampling=int(rng.choice([0, 2])))
        small = Image.open(held).convert("RGB")
    return np.asarray(small)
