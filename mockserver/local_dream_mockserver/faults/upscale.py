"""Faults of the answers of POST /upscale: the picture, its size, its headers."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.middleware import Header, RewriteHeaders, value_of, without
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import Rgb
from local_dream_mockserver.server.image_output import jpeg_of
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest

UPSCALE = Layer.UPSCALE


def rgb_of(jpeg: bytes) -> Rgb:
    """The pixels of a JPEG."""
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image.convert("RGB"))


def saved(rgb: Rgb, format: str, **options: object) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, format, **options)
    return buffer.getvalue()


class Enlarged(FaultHooks):
    """Changes the answer of an upscale."""

    def __init__(self, place: Trigger | None, change: Callable[[UpscaleAnswer, UpscaleRequest], UpscaleAnswer]) -> None:
        super().__init__(place)
        self.change = change

    def upscaled(self, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        changed = self.change(answer, request)
        if changed != answer:
            self.happened()
        return changed


def _answer(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    change: Callable[[UpscaleAnswer, UpscaleRequest], UpscaleAnswer],
) -> None:
    fault(name, sentence, layer=UPSCALE, breaks=breaks)(partial(Enlarged, change=change))


def _file(name: str, sentence: str, change: Callable[[Rgb], bytes]) -> None:
    """Registers a fault of the file that is sent; its size stays."""
    _answer(name, sentence, ("UPS-ANS-02",), lambda a, r: replace(a, jpeg=change(rgb_of(a.jpeg))))


def _pixels(name: str, sentence: str, change: Callable[[Rgb], Rgb], breaks: tuple[str, ...] = ("UPS-ANS-07",)) -> None:
    """Registers a fault of the pixels; the headers say the size of what is sent."""

    def changed(answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        rgb = change(rgb_of(answer.jpeg))
        return replace(answer, jpeg=jpeg_of(np.ascontiguousarray(rgb)), width=rgb.shape[1], height=rgb.shape[0])

    _answer(name, sentence, breaks, changed)


def _to(rgb: Rgb, width: int, height: int) -> Rgb:
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC))


def _scaled(share: float) -> Callable[[Rgb], Rgb]:
    return lambda rgb: _to(rgb, round(rgb.shape[1] * share), round(rgb.shape[0] * share))


def _cropped(rgb: Rgb) -> Rgb:
    """To whole tiles of 32 pixels, but not to nothing."""
    height, width = (max(4, edge // 32 * 32) for edge in rgb.shape[:2])
    return rgb[:height, :width]


def _padded(rgb: Rgb) -> Rgb:
    height, width = rgb.shape[:2]
    return np.pad(rgb, ((0, -height % 32), (0, -width % 32), (0, 0)), "edge")


def _planes(rgb: Rgb) -> Rgb:
    """As if the rows of planes were rows of pixels."""
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)).reshape(rgb.shape)


def _landscape(rgb: Rgb) -> Rgb:
    rows, columns = np.mgrid[0 : rgb.shape[0], 0 : rgb.shape[1]]
    return np.dstack([(rows * 3) % 256, (columns * 5) % 256, (rows + columns) % 256]).astype(np.uint8)


_file("upscale-grey", "The JPEG is grey.", lambda rgb: saved(rgb.mean(axis=2).astype(np.uint8), "JPEG"))
_pixels("upscale-three-times", "Pictures become three times as wide and high.", _scaled(0.75), ("UPS-ANS-03",))
_pixels("upscale-cropped", "Pictures are cropped to whole tiles.", _cropped, ("UPS-ANS-03",))
_pixels("upscale-padded", "Pictures are padded to whole tiles.", _padded, ("UPS-ANS-03",))
_pixels(
    "upscale-on-its-side",
    "Width and height of pictures are swapped.",
    lambda rgb: rgb.transpose(1, 0, 2),
    ("UPS-ANS-03",),
)
_pixels("upscale-bgr", "Red and blue are swapped.", lambda rgb: rgb[:, :, ::-1])
_pixels("upscale-upside-down", "Pictures are upside down.", lambda rgb: rgb[::-1])
_pixels("upscale-mirrored", "Pictures are mirrored.", lambda rgb: rgb[:, ::-1])
_pixels("upscale-planes", "The planes of the three channels are taken for rows of pixels.", _planes)
_pixels("upscale-shifted", "Pictures are shifted by 12 pixels.", lambda rgb: np.roll(rgb, 12, axis=1))
_pixels("upscale-another-picture", "The picture is always the same one.", _landscape)
_answer(
    "output-size-swapped",
    "X-Output-Width is the height, and X-Output-Height the width.",
    ("UPS-ANS-04",),
    lambda a, r: replace(a, width=a.height, height=a.width),
)
_answer(
    "duration-in-microseconds",
    "X-Duration-Ms is in microseconds, with the time of loading the model.",
    ("UPS-ANS-06",),
    lambda a, r: replace(a, seconds=a.seconds * 1000 + 600),
)
_answer(
    "duration-of-an-hour",
    "X-Duration-Ms is always 3600000.",
    ("UPS-ANS-06",),
    lambda a, r: replace(a, seconds=3600),
)


class UpscaleHead(RewriteHeaders):
    """Another head on the answers of upscales."""

    paths: tuple[str, ...] = ("/upscale",)

    def __init__(
        self, place: Trigger | None, change: Callable[[int, tuple[Header, ...]], tuple[int, tuple[Header, ...]]]
    ) -> None:
        super().__init__(place)
        self.change = change

    def concerns(self, status: int, headers: Sequence[Header]) -> bool:
        return status == 200

    def headed(self, status: int, headers: tuple[Header, ...]) -> tuple[int, tuple[Header, ...]]:
        return self.change(status, headers)


def _head(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    change: Callable[[tuple[Header, ...]], tuple[Header, ...]],
    status: int = 200,
) -> None:
    fault(name, sentence, layer=UPSCALE, breaks=breaks)(
        partial(UpscaleHead, change=lambda _, headers: (status, change(headers)))
    )


def _with(name: bytes, value: Callable[[bytes], bytes]) -> Callable[[tuple[Header, ...]], tuple[Header, ...]]:
    """A header with a value made of the honest one."""
    return lambda headers: (*without(headers, name), (name, value(value_of(headers, name))))


_head("upscale-with-201", "Enlarged pictures come with status 201.", ("UPS-ANS-01",), lambda headers: headers, 201)
_head(
    "upscale-as-bytes",
    "Enlarged pictures say that they are application/octet-stream.",
    ("UPS-ANS-01",),
    _with(b"content-type", lambda _: b"application/octet-stream"),
)
_head(
    "output-size-missing",
    "There is no X-Output-Width and no X-Output-Height.",
    ("UPS-ANS-04",),
    lambda headers: without(headers, b"x-output-width", b"x-output-height"),
)
_head(
    "duration-missing",
    "There is no X-Duration-Ms.",
    ("UPS-ANS-05",),
    lambda headers: without(headers, b"x-duration-ms"),
)
_head(
    "duration-a-fraction",
    "X-Duration-Ms is a fraction.",
    ("UPS-ANS-05",),
    _with(b"x-duration-ms", lambda value: value + b".25"),
)
