"""Pictures as targets send them: decoded strictly and within limits, and compared.

Pixels are uint8 arrays of shape (height, width, 3), RGB, unless a docstring says otherwise. Whatever is wrong with
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
from numpy.typing import NDArray
from PIL import ExifTags, Image

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.strict_json import integer

Pixels = NDArray[np.uint8]
Region = NDArray[np.bool_]
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


def psnr(one: Pixels, other: Pixels) -> float:
    """Likeness of two pictures of one size in dB: inf where they are equal, above 35 hard to tell apart, 10 unlike."""
    error = _mean(np.square(one.astype(np.int32) - other))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def distance(one: Pixels, other: Pixels, region: Region | None = None) -> float:
    """Mean absolute difference of two pictures of one size, 0..255; in `region` (height, width) only, where given."""
    difference = np.abs(one.astype(np.int16) - other.astype(np.int16))
    return _mean(difference if region is None else difference[region])


def _mean(values: NDArray[Any]) -> float:
    """Of whole numbers, which are summed as such: numpy makes a float of each first. Not a number where there are
    none."""
    return int(values.sum(dtype=np.int64)) / values.size if values.size else float("nan")


def tiles(one: Pixels, other: Pixels, region: Region, side: int) -> NDArray[np.float64]:
    """Mean absolute differences of two pictures of one size, 0..255, in the tiles of side x side pixels of which at
    least half is in `region` (height, width); over the region where there is none."""
    channels = np.abs(one.astype(np.int16) - other.astype(np.int16))
    difference = (channels[..., 0] + channels[..., 1] + channels[..., 2]) / 3
    height, width = region.shape
    down, right = -height % side, -width % side
    shape = ((height + down) // side, side, (width + right) // side, side)
    inside = np.pad(region, ((0, down), (0, right))).reshape(shape).sum(axis=(1, 3))
    sums = np.pad(difference * region, ((0, down), (0, right))).reshape(shape).sum(axis=(1, 3))
    full = inside * 2 >= side * side
    found: NDArray[np.float64] = sums[full] / inside[full]
    return found if found.size else np.array([distance(one, other, region)])


def contrast(pixels: Pixels) -> int:
    """Largest minus smallest value over all channels' pixels, 0..255: 0 where the picture is one flat colour."""
    flat = pixels.reshape(-1, 3)
    return int(np.max(flat.max(axis=0).astype(np.int16) - flat.min(axis=0)))


def roughness(pixels: Pixels) -> float:
    """Mean square of the difference of a value from that of the next pixel to the right, and of the one below: 0 where
    the picture is flat; a cut through a smooth picture counts for much."""
    values = pixels.astype(np.float32)
    return float(sum((np.diff(values, axis=axis) ** 2).mean() for axis in (0, 1) if values.shape[axis] > 1))


ROUGH = 9.0
"""Roughness below which a picture is too smooth to tell in which order its values were written."""
SMOOTHER = 0.45
"""Share of its roughness that a picture has at most where its values are read in the order that was meant."""


def other_order(pixels: Pixels) -> str:
    """The order in which the values of a picture seem to have been written, as a question; "" where it is row by row,
    RGB by RGB.

    Pictures are smooth along both sides, also after few steps; where one is smooth in another order alone, that was
    meant.
    """
    height, width = pixels.shape[:2]
    orders = {"the channels come one plane after another?": pixels.reshape(3, height, width).transpose(1, 2, 0)}
    if height != width:
        swapped = pixels.reshape(width, height, 3).transpose(1, 0, 2)
        orders["width and height are swapped in the order of the values?"] = swapped
    rough = roughness(pixels)
    smoothest, name = min((roughness(other), name) for name, other in orders.items())
    return name if rough >= ROUGH and smoothest < SMOOTHER * rough else ""


def shrink(pixels: Pixels, factor: int) -> Pixels:
    """The picture with every factor x factor block averaged. Its sides must be multiples of the factor."""
    height, width = pixels.shape[0] // factor, pixels.shape[1] // factor
    rows = pixels.reshape(height, factor, width * factor * 3).sum(axis=1, dtype=np.uint32)
    sums = rows.reshape(height, width, factor, 3).sum(axis=2)
    means: Pixels = np.rint(sums / factor**2).astype(np.uint8)
    return means


def shift(one: Pixels, other: Pixels) -> tuple[float, float]:
    """By how many pixels (to the right, down) the other picture is shifted against the one, less than one or so.

    By least squares: a smooth picture that is shifted differs from itself by its slope times the way. Where a channel
    is brighter or has more contrast, that is told apart.
    """
    inner = (slice(1, -1), slice(1, -1))
    moved, rows = other.astype(np.float64), []
    for channel in range(3):
        plane = one[:, :, channel].astype(np.float64)
        down, right = (np.asarray(slope)[inner].ravel() for slope in np.gradient(plane))
        tone = np.zeros((6, right.size))
        tone[2 * channel], tone[2 * channel + 1] = 1, plane[inner].ravel() - plane.mean()
        rows.append((np.vstack([right, down, tone]), (plane - moved[:, :, channel])[inner].ravel()))
    slopes, differences = (np.concatenate(parts, axis=-1) for parts in zip(*rows, strict=True))
    found = np.linalg.lstsq(slopes.T, differences, rcond=None)[0]
    return float(found.item(0)), float(found.item(1))


def fits(pixels: Pixels, size: tuple[int, int]) -> dict[str, Pixels]:
    """The picture brought to `size` (width, height) in each way that a server may choose, by name of the way."""
    image = Image.fromarray(pixels)
    width, height = size
    found = {"stretch": image.resize(size, Image.Resampling.BICUBIC)}
    for way, pick in (("cover", max), ("contain", min)):
        scale = pick(width / image.width, height / image.height)
        scaled = image.resize(
            (max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.BICUBIC
        )
        canvas = Image.new("RGB", size)
        canvas.paste(scaled, ((width - scaled.width) // 2, (height - scaled.height) // 2))
        found[way] = canvas
    return {way: np.asarray(picture) for way, picture in found.items()}


def away_from_seam(white: Region, margin: int) -> tuple[Region, Region]:
    """(kept, repainted): the black and the white part of a mask without what lies within `margin` pixels of the other.

    `white` is (height, width), True where the mask is white. Either part may come out empty.
    """
    return _away_from_seam(white.tobytes(), white.shape, margin)


@lru_cache(maxsize=64)
def _away_from_seam(white: bytes, shape: tuple[int, ...], margin: int) -> tuple[Region, Region]:
    """The masks of a run are few, and each is looked at by several checks."""
    region = np.frombuffer(white, np.bool_).reshape(shape)
    return ~_grown(region, margin), ~_grown(~region, margin)


def _grown(region: Region, margin: int) -> Region:
    """The region and all that lies within a square of `margin` pixels around any of it."""
    grown = region
    for axis in (0, 1):  # one axis after the other: does a window of 2 * margin + 1 pixels hold any?
        before = np.insert(np.cumsum(grown, axis, np.int32), 0, 0, axis)
        places = np.arange(region.shape[axis])
        first, last = np.maximum(places - margin, 0), np.minimum(places + margin + 1, region.shape[axis])
        grown = before.take(last, axis) > before.take(first, axis)
    return grown


def _orientation(image: Image.Image) -> int:
    """What EXIF data say, 1 where there are none, or such as nobody can read."""
    try:
        said = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # metadata are no reason to refuse a picture
        return 1
    return said if isinstance(said, int) and 1 <= said <= 8 else 1


@lru_cache(maxsize=32)
def pixels_of(data: bytes) -> Pixels:
    """The pixels of a picture that the suite itself made (PNG or JPEG bytes, as in a request)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(_eight_bits(image).convert("RGB"))


def _eight_bits(image: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel: grey of 16 bits would be cut off at 255 by `convert`."""
    return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)) if image.mode.startswith("I") else image
