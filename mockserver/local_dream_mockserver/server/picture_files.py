"""Files of pictures before they are decoded: without what is no picture in them, and what they are if they are none."""

from __future__ import annotations

import re
from collections.abc import Iterator

PNG = b"\x89PNG\r\n\x1a\n"
WITH_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND")
"""The blocks of a PNG file that a picture is made of. All others say something about it: workflows, colour profiles,
further frames. They may be packed so well that they would fill the memory."""
KINDS = (
    (rb"GIF8|\xff\xd8\xff|BM|\x89PNG|RIFF....WEBP", "a damaged file of a known format"),
    (rb"iVBORw0KGgo|/9j/|R0lGOD|UklGR", "base64 of base64: code the file once"),
    (rb"data:", "a data: URL inside base64: code the file alone"),
    (rb"....ftyp(?:avi[fs])", "an AVIF file"),
    (rb"....ftyp(?:hei[cmsx]|mif1|msf1|hev[cx])", "a HEIC file, as iPhones make"),
    (rb"II\*\x00|MM\x00\*", "a TIFF file"),
    (rb"\x00\x00\x01\x00", "an ICO file"),
    (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", "a JPEG XL file"),
    (rb"%PDF", "a PDF file"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b", "a gzip file"),
    (rb"....ftyp|\x1aE\xdf\xa3", "a video"),
    (rb"(?i)\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<svg", "an SVG file"),
    (rb"(?i)\s*<(?:!doctype html|html)", "a web page"),
    (rb"\s*[{\[]", "JSON"),
    (rb"[\x09\x0a\x0d\x20-\x7e]{8}", "text"),
)


def bare(data: bytes) -> bytes:
    """A PNG file without the blocks that no pixel needs; any other file, and one that cannot be followed, as it is."""
    if not data.startswith(PNG):
        return data
    kept = list(_blocks(data))
    return PNG + b"".join(kept) if kept else data


def _blocks(data: bytes) -> Iterator[bytes]:
    at = len(PNG)
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if kind in WITH_PIXELS or length > len(data):
            yield data[at : at + 12 + length]
        at += 12 + length
        if kind == b"IEND":
            return


def described(data: bytes) -> str:
    """What a file is that is no picture, as far as its beginning says."""
    for pattern, what in KINDS:
        if re.match(pattern, data, re.DOTALL):
            return what
    if not data.strip(b"\0"):
        return f"{len(data)} bytes of zero"
    if len(data) % 3 == 0:
        return f"{len(data)} bytes of no known format; raw pixels are not taken"
    return f"{len(data)} bytes of no known format"
