"""Faults and quirks of what POST /upscale answers: the picture, its size, its headers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.effects import upscale
from local_dream_mockserver.faults.effects.responses import Headers
from local_dream_mockserver.faults.effects.upscale import rgb_of, saved
from local_dream_mockserver.faults.middleware import value_of, without
from local_dream_mockserver.server.engine import Rgb
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest

# The file


@upscale.enlarged("UPS-ANS-02")
def upscale_png_as_jpeg(answer: UpscaleAnswer) -> UpscaleAnswer:
    """The file is a PNG."""
    return replace(answer, jpeg=saved(rgb_of(answer.jpeg), "PNG"))


@upscale.enlarged("UPS-ANS-02")
def upscale_empty(answer: UpscaleAnswer) -> UpscaleAnswer:
    """The body is empty."""
    return replace(answer, jpeg=b"")


@upscale.file("UPS-ANS-02")
def upscale_grey(rgb: Rgb) -> bytes:
    """The JPEG is grey."""
    return saved(rgb.mean(axis=2).astype(np.uint8), "JPEG")


@upscale.file(quirk=True)
def upscale_small_file(rgb: Rgb) -> bytes:
    """The JPEG has a low quality, and its colours half the resolution."""
    return saved(rgb, "JPEG", quality=60, subsampling=2)


@upscale.file(quirk=True)
def upscale_progressive(rgb: Rgb) -> bytes:
    """The JPEG is progressive."""
    return saved(rgb, "JPEG", quality=90, progressive=True)


@upscale.file(quirk=True)
def upscale_with_comment(rgb: Rgb) -> bytes:
    """The JPEG carries a comment and a resolution."""
    return saved(rgb, "JPEG", quality=90, comment=b"made by a mock", dpi=(300, 300))


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


upscale.pixels("UPS-ANS-03", name="upscale-cropped", sentence="Pictures are cropped to whole tiles.")(cropped)
upscale.pixels("UPS-ANS-03", name="upscale-padded", sentence="Pictures are padded to whole tiles.")(padded)


@upscale.pixels("UPS-ANS-03")
def upscale_on_its_side(rgb: Rgb) -> Rgb:
    """Width and height of pictures are swapped."""
    return rgb.transpose(1, 0, 2)


# What the picture shows


@upscale.pixels("UPS-ANS-07")
def upscale_bgr(rgb: Rgb) -> Rgb:
    """Red and blue are swapped."""
    return rgb[:, :, ::-1]


@upscale.pixels("UPS-ANS-07")
def upscale_upside_down(rgb: Rgb) -> Rgb:
    """Pictures are upside down."""
    return rgb[::-1]


@upscale.pixels("UPS-ANS-07")
def upscale_mirrored(rgb: Rgb) -> Rgb:
    """Pictures are mirrored."""
    return rgb[:, ::-1]


@upscale.pixels("UPS-ANS-07")
def upscale_planes(rgb: Rgb) -> Rgb:
    """The planes of the three channels are taken for rows of pixels."""
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)).reshape(rgb.shape)


@upscale.pixels("UPS-ANS-07")
def upscale_shifted(rgb: Rgb) -> Rgb:
    """Pictures are shifted by 12 pixels."""
    return np.roll(rgb, 12, axis=1)


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


for _name, _method, _sentence in (
    ("upscale-smooth", Image.Resampling.BICUBIC, "Pictures are enlarged smoothly."),
    ("upscale-in-blocks", Image.Resampling.NEAREST, "Pictures are enlarged in blocks of 4x4 pixels."),
):
    upscale.file(quirk=True, name=_name, sentence=_sentence)(again(_method))


# Headers


def with_header(headers: Headers, name: bytes, value: bytes) -> Headers:
    """The headers with one of them replaced."""
    return (*without(headers, name), (name, value))


@upscale.headers("UPS-ANS-01")
def upscale_with_201(status: int, headers: Headers) -> tuple[int, Headers]:
    """Enlarged pictures come with status 201."""
    return 201, headers


@upscale.headers("UPS-ANS-01")
def upscale_as_bytes(status: int, headers: Headers) -> tuple[int, Headers]:
    """Enlarged pictures say that they are application/octet-stream."""
    return status, with_header(headers, b"content-type", b"application/octet-stream")


@upscale.headers("UPS-ANS-04")
def output_size_missing(status: int, headers: Headers) -> tuple[int, Headers]:
    """There is no X-Output-Width and no X-Output-Height."""
    return status, without(headers, b"x-output-width", b"x-output-height")


@upscale.enlarged("UPS-ANS-04")
def output_size_of_input(answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
    """X-Output-Width and X-Output-Height are the size of what was sent."""
    return replace(answer, width=request.width, height=request.height)


@upscale.enlarged("UPS-ANS-04")
def output_size_swapped(answer: UpscaleAnswer) -> UpscaleAnswer:
    """X-Output-Width is the height, and X-Output-Height the width."""
    return replace(answer, width=answer.height, height=answer.width)


@upscale.headers("UPS-ANS-05")
def duration_missing(status: int, headers: Headers) -> tuple[int, Headers]:
    """There is no X-Duration-Ms."""
    return status, without(headers, b"x-duration-ms")


@upscale.headers("UPS-ANS-05")
def duration_a_fraction(status: int, headers: Headers) -> tuple[int, Headers]:
    """X-Duration-Ms is a fraction."""
    return status, with_header(headers, b"x-duration-ms", value_of(headers, b"x-duration-ms") + b".25")


@upscale.enlarged("UPS-ANS-06")
def duration_in_microseconds(answer: UpscaleAnswer) -> UpscaleAnswer:
    """X-Duration-Ms is in microseconds, with the time of loading the model."""
    return replace(answer, seconds=answer.seconds * 1000 + 600)


@upscale.enlarged("UPS-ANS-06")
def duration_of_an_hour(answer: UpscaleAnswer) -> UpscaleAnswer:
    """X-Duration-Ms is always 3600000."""
    return replace(answer, seconds=3600)


@upscale.enlarged(quirk=True)
def duration_zero(answer: UpscaleAnswer) -> UpscaleAnswer:
    """X-Duration-Ms is 0."""
    return replace(answer, seconds=0.0)
