"""Pictures as files."""

from __future__ import annotations

import io

from PIL import Image

from local_dream_mockserver.server.engine import Rgb


def file_of(rgb: Rgb, format: str) -> bytes:
    """The bytes of a picture: raw (row-major, 3 bytes a pixel), jpeg or png."""
    if format == "raw":
        return rgb.tobytes()
    return jpeg_of(rgb) if format == "jpeg" else png_of(rgb)


def jpeg_of(rgb: Rgb) -> bytes:
    """JPEG, quality 95, colour at full resolution."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def png_of(rgb: Rgb) -> bytes:
    """PNG, packed for speed rather than size."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
