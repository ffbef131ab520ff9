"""Pictures as clients send them: base64 of a file, in whatever shape files come."""

from __future__ import annotations

import base64
import binascii
import io
import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from local_dream_mockserver.server.engine import Mask, Rgb
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.picture_files import bare, described

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
DATA_URL = re.compile(r"data:[^,]{0,100};base64,", re.IGNORECASE)
RUN_LENGTH_CODED = (1, 2)
"""BMP's compressions RLE8 and RLE4. Pillow decodes them in Python, pixel by pixel."""
MOST_READS = 250_000
"""Reads that one picture may take: a PNG file of 64 MiB in chunks of 8 KiB takes about 40,000."""
Size = tuple[int, int]
"""Width and height in pixels."""


def read_image(field: str, text: str, size: Size, max_pixels: int) -> Rgb:
    """The picture as RGB, shape (height, width, 3): resized to cover `size`, the overhang cut off evenly.

    Turned as its EXIF data says; transparent parts on white; 16 bits reduced to 8; of an animation the first frame.
    Raises APIError (400) that names the field.
    """
    return np.asarray(_fitted(_opened(field, text, max_pixels, "white"), size, Image.Resampling.LANCZOS))


def read_picture(field: str, text: str, max_pixels: int) -> Rgb:
    """The picture as `read_image` reads it, in its own size."""
    return np.asarray(_opened(field, text, max_pixels, "white"))


def read_small(field: str, text: str, longest: int, max_pixels: int) -> Rgb:
    """The picture as `read_image` reads it, in its own shape, at most `longest` pixels to a side.

    Raises APIError (400) that names the field.
    """
    image = _opened(field, text, max_pixels, "white")
    image.thumbnail((longest, longest))
    return np.asarray(image)


def read_mask(field: str, text: str, size: Size, max_pixels: int) -> Mask:
    """The mask as brightness 0..255, shape (height, width), fitted as `read_image` does; transparent parts on black."""
    image = _opened(field, text, max_pixels, "black").convert("L")
    return np.asarray(_fitted(image, size, Image.Resampling.BILINEAR))


def decode_base64(field: str, text: str) -> bytes:
    """Standard alphabet, padded, unwrapped; a `data:` URL's head is taken off. Raises APIError (400)."""
    head = DATA_URL.match(text)
    try:
        data = base64.b64decode(text[head.end() :] if head else text, validate=True)
    except (binascii.Error, ValueError):
        message = f"{field}: not base64; use the standard alphabet, padded, without line breaks"
        raise APIError(400, message, code=Code.NOT_BASE64, field=field) from None
    if not data:
        message = f"{field}: empty; send a picture as base64, or leave it out"
        raise APIError(400, message, code=Code.EMPTY, field=field)
    return data


class BoundedFile(io.BytesIO):
    """A file in memory that may be read in so many pieces only. Pillow goes through the blocks of a file in Python, one
    read or more for each: a file of small blocks alone would keep it busy for a minute."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MOST_READS:
            raise OSError("a file of too many blocks")
        return super().read(size)


def _opened(field: str, text: str, max_pixels: int, ground: str) -> Image.Image:
    data = decode_base64(field, text)
    try:
        image = Image.open(BoundedFile(bare(data)), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(field, max_pixels) from None
    except Exception:  # the decoders raise whatever a broken file makes them raise
        message = f"{field}: not a picture, but {described(data)}; send a {', '.join(FORMATS)} file as base64"
        raise APIError(400, message, code=Code.NOT_A_PICTURE, field=field) from None
    if image.width * image.height > max_pixels:
        raise _too_large(field, max_pixels)
    if image.format == "BMP" and image.info.get("compression") in RUN_LENGTH_CODED:
        raise APIError(
            400,
            f"{field}: a run-length coded BMP file; send a PNG file as base64",
            code=Code.NOT_A_PICTURE,
            field=field,
        )
    try:
        image.load()
        return _flat(ImageOps.exif_transpose(image), ground)
    except Exception as error:  # as above
        message = f"{field}: a broken or truncated {image.format} file ({_reason(error)}); send the whole file"
        raise APIError(400, message, code=Code.BROKEN_PICTURE, field=field) from None


def _reason(error: Exception) -> str:
    """What a decoder says of a file, in a few words."""
    text = " ".join(str(error).split()) or type(error).__name__
    return ascii(text)[1:-1][:80]


def _too_large(field: str, max_pixels: int) -> APIError:
    message = f"{field}: more than {max_pixels} pixels; send a smaller picture"
    return APIError(400, message, code=Code.OVER_LIMIT, field=field)


def _flat(image: Image.Image, ground: str) -> Image.Image:
    if image.mode.startswith("I"):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    flat = Image.new("RGBA", image.size, ground)
    flat.alpha_composite(image.convert("RGBA"))
    return flat.convert("RGB")


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    return (np.clip(values.astype(np.int64), 0, 65535) // 257).astype(np.uint8)


def _fitted(image: Image.Image, size: Size, method: Image.Resampling) -> Image.Image:
    return image if image.size == size else ImageOps.fit(image, size, method)
