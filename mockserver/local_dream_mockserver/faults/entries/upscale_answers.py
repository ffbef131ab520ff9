"""Faults and quirks of what POST /upscale answers: the file, its size, what it shows, and the headers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.effects import upscale
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.upscale import rgb_of, saved
from local_dream_mockserver.faults.middleware import Headers, value_of, without
from local_dream_mockserver.server.engine import Rgb

# The file

several(upscale.enlarged)(
    "upscale-png-as-jpeg (UPS-ANS-02): The file is a PNG.",
    lambda answer: replace(answer, jpeg=saved(rgb_of(answer.jpeg), "PNG")),
    "upscale-empty (UPS-ANS-02): The body is empty.",
    lambda answer: replace(answer, jpeg=b""),
)
several(upscale.file)(
    "upscale-grey (UPS-ANS-02): The JPEG is grey.",
    lambda rgb: saved(rgb.mean(axis=2).astype(np.uint8), "JPEG"),
    "upscale-small-file (quirk): The JPEG has a low quality, and its colours half the resolution.",
    lambda rgb: saved(rgb, "JPEG", quality=60, subsampling=2),
    "upscale-progressive (quirk): The JPEG is progressive.",
    lambda rgb: saved(rgb, "JPEG", quality=90, progressive=True),
    "upscale-with-comment (quirk): The JPEG carries a comment and a resolution.",
    lambda rgb: saved(rgb, "JPEG", quality=90, comment=b"made by a mock", dpi=(300, 300)),
)


# The size of the picture


def cropped(rgb: Rgb) -> Rgb:
    """To whole tiles of 32 pixels, but not to nothing."""
    height, width = (max(4, edge // 32 * 32) for edge in rgb.shape[:2])
    return rgb[:height, :width]


def padded(rgb: Rgb) -> Rgb:
    """To whole tiles of 32 pixels."""
    height, width = rgb.shape[:2]
    return np.pad(rgb, ((0, -height % 32), (0, -width % 32), (0, 0)), "edge")


@upscale.pixels("UPS-ANS-03")
def upscale_three_times(rgb: Rgb) -> Rgb:
    """Pictures become three times as wide and high."""
    size = round(rgb.shape[1] * 0.75), round(rgb.shape[0] * 0.75)
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


several(upscale.pixels)(
    "upscale-cropped (UPS-ANS-03): Pictures are cropped to whole tiles.",
    cropped,
    "upscale-padded (UPS-ANS-03): Pictures are padded to whole tiles.",
    padded,
    "upscale-on-its-side (UPS-ANS-03): Width and height of pictures are swapped.",
    lambda rgb: rgb.transpose(1, 0, 2),
)


# What the picture shows

several(upscale.pixels)(
    "upscale-bgr (UPS-ANS-07): Red and blue are swapped.",
    lambda rgb: rgb[:, :, ::-1],
    "upscale-upside-down (UPS-ANS-07): Pictures are upside down.",
    lambda rgb: rgb[::-1],
    "upscale-mirrored (UPS-ANS-07): Pictures are mirrored.",
    lambda rgb: rgb[:, ::-1],
    "upscale-planes (UPS-ANS-07): The planes of the three channels are taken for rows of pixels.",
    lambda rgb: np.ascontiguousarray(rgb.transpose(2, 0, 1)).reshape(rgb.shape),
    "upscale-shifted (UPS-ANS-07): Pictures are shifted by 12 pixels.",
    lambda rgb: np.roll(rgb, 12, axis=1),
)


@upscale.pixels("UPS-ANS-07")
def upscale_another_picture(rgb: Rgb) -> Rgb:
    """The picture is always the same one."""
    rows, columns = np.mgrid[0 : rgb.shape[0], 0 : rgb.shape[1]]
    return np.dstack([(rows * 3) % 256, (columns * 5) % 256, (rows + columns) % 256]).astype(np.uint8)


def again(method: Image.Resampling) -> Callable[[Rgb], bytes]:
    """Enlarged once more from the size of the original, in another way."""

    def enlarged(rgb: Rgb) -> bytes:
        image = Image.fromarray(rgb)
        small = image.resize((image.width // 4, image.height // 4), Image.Resampling.BOX)
        return saved(np.asarray(small.resize(image.size, method)), "JPEG", quality=95)

    return enlarged


several(upscale.file)(
    "upscale-smooth (quirk): Pictures are enlarged smoothly.",
    again(Image.Resampling.BICUBIC),
    "upscale-in-blocks (quirk): Pictures are enlarged in blocks of 4x4 pixels.",
    again(Image.Resampling.NEAREST),
)


# Headers


def with_header(headers: Headers, name: bytes, value: bytes) -> Headers:
    """The headers with one of them replaced."""
    return (*without(headers, name), (name, value))


several(upscale.headers)(
    "upscale-with-201 (UPS-ANS-01): Enlarged pictures come with status 201.",
    lambda status, headers: (201, headers),
    "upscale-as-bytes (UPS-ANS-01): Enlarged pictures say that they are application/octet-stream.",
    lambda status, headers: (status, with_header(headers, b"content-type", b"application/octet-stream")),
    "output-size-missing (UPS-ANS-04): There is no X-Output-Width and no X-Output-Height.",
    lambda status, headers: (status, without(headers, b"x-output-width", b"x-output-height")),
    "duration-missing (UPS-ANS-05): There is no X-Duration-Ms.",
    lambda status, headers: (status, without(headers, b"x-duration-ms")),
    "duration-a-fraction (UPS-ANS-05): X-Duration-Ms is a fraction.",
    lambda status, headers: (
        status,
        with_header(headers, b"x-duration-ms", value_of(headers, b"x-duration-ms") + b".25"),
    ),
)


several(upscale.enlarged)(
    "output-size-of-input (UPS-ANS-04): X-Output-Width and X-Output-Height are the size of what was sent.",
    lambda answer, request: replace(answer, width=request.width, height=request.height),
    "output-size-swapped (UPS-ANS-04): X-Output-Width is the height, and X-Output-Height the width.",
    lambda answer: replace(answer, width=answer.height, height=answer.width),
    "duration-in-microseconds (UPS-ANS-06): X-Duration-Ms is in microseconds, with the time of loading the model.",
    lambda answer: replace(answer, seconds=answer.seconds * 1000 + 600),
    "duration-of-an-hour (UPS-ANS-06): X-Duration-Ms is always 3600000.",
    lambda answer: replace(answer, seconds=3600),
    "duration-zero (quirk): X-Duration-Ms is 0.",
    lambda answer: replace(answer, seconds=0.0),
)
