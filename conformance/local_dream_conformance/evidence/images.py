"""Pictures as targets send them, decoded strictly and within limits.

Whatever is wrong with
bytes from a target is a BadPicture with one sentence that says what and where; nothing else is raised.
"""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from PIL import ExifTags, Image

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.pixels import Pixels

Format = Literal["raw", "jpeg", "png"]

MAX_PIXELS, FEW_PIXELS = 1 << 24, 1 << 20
"""Pixels of the largest picture that is decoded; what a picture may have in any case, whatever was asked for."""
READS = 100_000
"""Reads that decoding a picture may take: a header byte by byte, or in a million segments, takes minutes."""
_MAGIC: Mapping[Literal["jpeg", "png"], bytes] = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


class BadPicture(ValueError):
    """The bytes are not the picture that they should be; the message says what is wrong, and where."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture. `mode` is Pillow's name of the colours as stored ("RGB", "L", "CMYK", ...)."""

    pixels: Pixels
    format: Format
    mode: str
    orientation: int = 1
    """How its metadata say that it is to be shown (EXIF): 1 as it is stored, 2 to 8 mirrored or turned."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


def decode_base64(text: str) -> bytes:
    """The bytes of base64 in the standard alphabet, padded, on one line. Raises BadPicture."""
    if not text:
        raise BadPicture("the base64 is empty")
    core = text.rstrip("=")
    bad = _NOT_BASE64.search(core)
    if bad:
        char = bad[0]
        kind = {"-": "the URL-safe alphabet", "_": "the URL-safe alphabet", "=": "padding in the middle"}.get(char)
        if char.isspace():
            kind = "white space: it is wrapped"
        elif core.startswith("data:"):
            kind = "a data: URL"
        raise BadPicture(f"not base64 at character {bad.start()}: {escape(char)!r} ({kind or 'not in the alphabet'})")
    padding = len(text) - len(core)
    if len(core) % 4 == 1:
        raise BadPicture(f"base64 of {len(core)} characters without padding: no bytes encode to that many")
    if padding != -len(core) % 4:
        raise BadPicture(f"base64 padded with {padding} '=' where {-len(core) % 4} belong")
    return base64.b64decode(text, validate=True)


def kind_of(data: bytes) -> Literal["jpeg", "png"] | None:
    """The format whose first bytes the data has, None where it has those of neither."""
    return next((name for name, magic in _MAGIC.items() if data.startswith(magic)), None)


def raw_rgb(data: bytes, width: int, height: int, most: int = MAX_PIXELS) -> Picture:
    """Raw RGB, row by row. Raises BadPicture where the length is not width * height * 3."""
    if width < 1 or height < 1 or width * height > min(most, MAX_PIXELS):
        raise BadPicture(f"a size of {escape(f'{width}x{height}')} pixels")
    wanted = width * height * 3
    if len(data) != wanted:
        kind = kind_of(data)
        hint = f"; it is a {kind}" if kind else ""
        raise BadPicture(f"{len(data)} bytes where {width}x{height} raw RGB has {wanted}{hint}")
    return Picture(np.frombuffer(data, np.uint8).reshape(height, width, 3), "raw", "RGB")


class _Counted(io.BytesIO):
    """A file that can be read so many times. Raises BadPicture."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = READS

    def read(self, size: int | None = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise BadPicture(f"takes more than {READS} reads to decode: padding, or metadata in tiny parts")
        return super().read(size)


def decode(data: bytes, format: Literal["jpeg", "png"], most: int = MAX_PIXELS) -> Picture:
    """Decodes a JPEG or PNG of at most so many pixels; the size in its header is checked before any is decoded.

    Raises BadPicture.
    """
    most = min(most, MAX_PIXELS)
    if not data.startswith(_MAGIC[format]):
        raise BadPicture(f"does not begin as a {format.upper()}: {data[:8].hex(' ') or 'no bytes'}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(_Counted(data), formats=(format.upper(),)) as image:
                width, height = image.size
                if width * height > most:
                    raise BadPicture(f"says that it is {width}x{height} pixels; more than {most} are not decoded")
                mode = image.mode
                image.load()
                orientation = _orientation(image)
                pixels = np.asarray(image if mode == "RGB" else image.convert("RGB"))
    except BadPicture:
        raise
    except Exception as error:  # Pillow raises almost anything on hostile bytes, and all of it means this
        raise BadPicture(f"cannot be decoded as a {format.upper()}: {escape(str(error))}") from None
    return Picture(pixels, format, mode, orientation)


def of_payload(payload: Mapping[str, Any], size: tuple[int, int] | None = None, most: int = MAX_PIXELS) -> Picture:
    """The picture in the data of a complete or progress event: of its `format`, or raw RGB without one.

    Raw pictures have the `width` and `height` of the payload or, where it has none (previews), `size`; more pixels than
    `most` are not decoded. Raises BadPicture.
    """
    image = payload.get("image")
    if not isinstance(image, str):
        raise BadPicture(f"image is {'missing' if image is None else 'a ' + type(image).__name__}, not a string")
    data = decode_base64(image)
    format = payload.get("format", "raw")
    if format in ("jpeg", "png"):
        return decode(data, format, most)
    if format != "raw":
        raise BadPicture(f"format is {escape(repr(format), 40)}, not raw, jpeg or png")
    width, height = integer(payload.get("width")), integer(payload.get("height"))
    if width is None or height is None:
        if size is None:
            raise BadPicture("raw RGB without integers width and height")
        width, height = size
    return raw_rgb(data, width, height, most)


def _orientation(image: Image.Image) -> int:
    """What EXIF data say, 1 where there are none, or such as nobody can read."""
    try:
        said = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # metadata are no reason to refuse a picture
        return 1
    return said if isinstance(said, int) and 1 <= said <= 8 else 1


@lru_cache(maxsize=32)
def file_sent(text: str) -> bytes:
    """The file of a picture that the suite itself sent, from the base64 in its request. Those of a run are few, and
    many checks look at them."""
    return base64.b64decode(text)


@lru_cache(maxsize=32)
def pixels_of(data: bytes) -> Pixels:
    """The pixels of a picture that the suite itself made (PNG or JPEG bytes, as in a request)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(_eight_bits(image).convert("RGB"))


def _eight_bits(image: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel: grey of 16 bits would be cut off at 255 by `convert`."""
    return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)) if image.mode.startswith("I") else image
