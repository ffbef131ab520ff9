"""Pictures as the recorded releases decode them (stb_image): alpha dropped, EXIF turns ignored, base64 with anything in
between, and no format newer than GIF."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image, ImageOps

from local_dream_mockserver.server.engine import Mask, Rgb
from local_dream_mockserver.server.picture_files import bare

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TGA", "PSD", "PPM")
NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


class Undecodable(Exception):
    """The text is said after `Err proc img: ` and the like."""


def base64_decoded(text: str) -> bytes:
    """Whatever is not of the alphabet is skipped; the length, skipped characters included, must be a multiple of 4.
    Raises Undecodable."""
    data = text.encode()
    if len(data) % 4:
        raise Undecodable("Invalid base64 length")
    kept = NO_BASE64.sub(b"", data)
    whole = kept[: len(kept) - (len(kept) % 4 == 1)]
    return base64.b64decode(whole + b"=" * (-len(whole) % 4))


def decoded(text: str, most_pixels: int) -> Image.Image | None:
    """The picture as RGB, or None where it is none to the release. Raises Undecodable."""
    data = base64_decoded(text)
    try:
        image = Image.open(io.BytesIO(bare(data)), formats=FORMATS)
        if image.width * image.height > most_pixels:
            return None
        image.load()
        return _flat(image)
    except Exception:  # the decoders raise whatever a broken file makes them raise
        return None


def _flat(image: Image.Image) -> Image.Image:
    """Without alpha: what is under it shows."""
    if image.mode.startswith("I"):
        values = np.clip(np.asarray(image).astype(np.int64), 0, 65535) >> 8
        return Image.fromarray(values.astype(np.uint8)).convert("RGB")
    if image.mode == "LA":
        return image.getchannel("L").convert("RGB")
    return image.convert("RGB")


def fitted(image: Image.Image, size: tuple[int, int]) -> Rgb:
    """Covers `size`, the overhang cut off evenly; shape (height, width, 3)."""
    return np.asarray(image if image.size == size else ImageOps.fit(image, size, Image.Resampling.BILINEAR))


def grey(image: Image.Image, size: tuple[int, int]) -> Mask:
    """A mask: the mean of the three colours, shape (height, width)."""
    mean = fitted(image, size).astype(np.uint16).sum(axis=2) // 3
    return np.asarray(mean, dtype=np.uint8)
