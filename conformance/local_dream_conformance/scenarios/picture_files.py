"""Files of pictures in the forms that clients send: PNG of every colour and depth, JPEG baseline and progressive.

The PNG writer is our own, since the usual one writes neither 16 bits a channel nor interlaced files.
"""

from __future__ import annotations

import io
import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from local_dream_conformance.evidence.pixels import Pixels, Region
from local_dream_conformance.scenarios.test_images import strips

Colour = Literal["rgb", "rgba", "grey", "grey-alpha", "palette"]
COLOUR_TYPE: dict[Colour, int] = {"grey": 0, "rgb": 2, "palette": 3, "grey-alpha": 4, "rgba": 6}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The seven passes of an interlaced PNG: first column and row, step between columns and rows."""
LUMA = (0.299, 0.587, 0.114)
LOWER = 80
"""By how much the lower byte of a sample of 16 bits is greater than the upper one, where it can be."""
PIECE = 8192
"""Bytes of the chunks into which the pixels of a PNG are cut."""
COMMENT_BYTES = 200_000
"""What an editor's notes in a PNG may take."""
KEPT, KEPT_BYTES = 16, 1 << 20
"""Files that are kept, and the length of the longest of them."""
_WRITTEN: dict[tuple[object, ...], bytes] = {}
JFIF = b"\xff\xe0"
"""The marker of the segment with which files begin that no camera wrote."""
ORIENTATION_NORMAL = {0x0112: 1, 0x010F: "Camera"}
"""EXIF of a picture that is not turned."""


@dataclass(frozen=True, eq=False)
class PictureFile:
    """A picture and how its file is written. `pixels` is RGB, or a region: white where True.

    `depth` is 16, 8, or 1 (grey without alpha only: black below half brightness). Colours with alpha are
    opaque everywhere, but with `transparent`, where they are as opaque as they are bright. `exif` and `comment` are
    metadata: a few bytes, and many. A JPEG of a `camera` begins with the former, and has no JFIF header. `extra`
    is the number of random bytes of metadata that make the file longer still.
    """

    pixels: Pixels | Region
    colour: Colour = "rgb"
    depth: int = 8
    interlaced: bool = False
    jpeg: bool = False
    progressive: bool = False
    camera: bool = False
    exif: bool = False
    comment: bool = False
    extra: int = 0
    transparent: bool = False

    def base64(self) -> str:
        """The file as the API wants it."""
        return b64encode(self.file()).decode("ascii")

    def file(self) -> bytes:
        """The bytes of the file. A run asks for each several times: in the dry run, and wherever a form is narrowed."""
        ways = tuple(getattr(self, field.name) for field in fields(self) if field.name != "pixels")
        key = (self.pixels.shape, self.pixels.dtype.str, sha256(self.pixels.tobytes()).digest(), *ways)
        data = _WRITTEN.get(key)
        if data is None:
            data = self._jpeg() if self.jpeg else self._png()
            if len(data) <= KEPT_BYTES:
                if len(_WRITTEN) >= KEPT:
                    _WRITTEN.pop(next(iter(_WRITTEN)))
                _WRITTEN[key] = data
        return data

    def _rgb(self) -> Pixels:
        pixels: NDArray[np.uint8] = self.pixels.astype(np.uint8)
        return pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis] * np.uint8(255), 3, axis=2)

    def _grey(self) -> NDArray[np.uint8]:
        rgb = self._rgb()
        if (rgb == rgb[..., :1]).all():
            return rgb[..., 0]
        grey = np.empty(rgb.shape[:2], np.uint8)
        for rows in strips(len(rgb)):
            grey[rows] = np.rint(rgb[rows].astype(np.float64) @ np.array(LUMA))
        return grey

    def _jpeg(self) -> bytes:
        buffer = io.BytesIO()
        picture = Image.fromarray(self._grey() if self.colour.startswith("grey") else self._rgb())
        exif = Image.Exif()
        if self.exif or self.camera:
            exif.update(ORIENTATION_NORMAL)
        picture.save(buffer, "JPEG", quality=95, subsampling=0, progressive=self.progressive, exif=exif)
        return _without_jfif(buffer.getvalue()) if self.camera else buffer.getvalue()

    def _png(self) -> bytes:
        samples, palette = self._samples()
        height, width = samples.shape[:2]
        head = struct.pack(">IIBBBBB", width, height, self.depth, COLOUR_TYPE[self.colour], 0, 0, int(self.interlaced))
        chunks = [(b"IHDR", head)]
        if palette is not None:
            chunks.append((b"PLTE", palette.tobytes()))
        if self.exif:
            exif = Image.Exif()
            exif.update(ORIENTATION_NORMAL)
            chunks.append((b"eXIf", exif.tobytes().removeprefix(b"Exif\x00\x00")))
        if self.comment:
            chunks.append((b"tEXt", b"Comment\x00" + b"seed 1, steps 20; " * (COMMENT_BYTES // 18)))
        if self.extra:
            noise = np.random.default_rng(1).integers(0, 256, self.extra, np.uint8)
            chunks.append((b"prVt", noise.tobytes()))
        data = zlib.compress(b"".join(self._rows(samples)), 6)
        chunks += [(b"IDAT", data[start : start + PIECE]) for start in range(0, len(data), PIECE)]
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in (*chunks, (b"IEND", b"")))

    def _samples(self) -> tuple[NDArray[np.uint8], Pixels | None]:
        """Samples as stored, (height, width, channels), 8 bits each, and the palette where there is one."""
        rgb = self._rgb()
        if self.colour == "palette":
            numbers, which = np.unique(
                rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32), return_inverse=True
            )
            if len(numbers) > 256:
                raise ValueError(f"{len(numbers)} colours do not fit a palette")
            colours = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=1).astype(np.uint8)
            return which.reshape(*rgb.shape[:2], 1).astype(np.uint8), colours
        shown = self._grey()[..., np.newaxis] if self.colour.startswith("grey") else rgb
        if self.colour in ("rgba", "grey-alpha"):
            opaque = rgb.max(axis=2, keepdims=True) if self.transparent else np.full((*rgb.shape[:2], 1), 255, np.uint8)
            shown = np.concatenate([shown, opaque], axis=2)
        return shown, None

    def _rows(self, samples: NDArray[np.uint8]) -> Iterator[bytes]:
        passes = ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        for x, y, across, down in passes:
            part = samples[y::down, x::across]
            if part.size:
                for row in part.reshape(part.shape[0], -1):
                    yield b"\x00" + self._packed(row)

    def _packed(self, row: NDArray[np.uint8]) -> bytes:
        if self.depth == 16:
            return _deep(row).tobytes()
        return np.packbits(row >= 128).tobytes() if self.depth == 1 else row.tobytes()


def _deep(row: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The samples with 16 bits, whose lower byte is another one, as where so many were measured.

    So much greater that whoever takes the lower for the upper sees another picture, and so little that all ways of
    leaving 8 of 16 bits (cut off, rounded, divided by 257) give the samples back. Black and white are exact.
    """
    values = row.astype(np.uint16)
    more = np.where(values == 0, 0, np.minimum(LOWER, 255 - values)).astype(np.uint16)
    return (values * np.uint16(257) + more).astype(">u2")


def _without_jfif(data: bytes) -> bytes:
    """A JPEG without the header that the usual writer puts before all else."""
    if data[2:4] != JFIF:
        raise ValueError("no JFIF header")
    return data[:2] + data[4 + int.from_bytes(data[4:6]) :]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
