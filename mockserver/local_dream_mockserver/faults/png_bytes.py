"""PNG files whose samples of 16 bits have their bytes the wrong way round."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

PNG = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The passes of an interlaced file: first column and row, step between columns and rows."""


def with_bytes_swapped(png: bytes) -> bytes:
    """The same file of 16 bits a channel with the bytes of each sample swapped. Rows that a filter predicts stay."""
    width, height, _, colour, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
    chunks = list(_chunks(png))
    rows = bytearray(zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT")))
    at = 0
    for x, y, across, down in ADAM7 if interlaced else ((0, 0, 1, 1),):
        length = 2 * CHANNELS[colour] * len(range(x, width, across))
        for _ in range(y, height, down) if length else ():
            row = rows[at + 1 : at + 1 + length]
            if rows[at] == 0:
                rows[at + 1 : at + 1 + length : 2], rows[at + 2 : at + 1 + length : 2] = row[1::2], row[::2]
            at += 1 + length
    kept = [(kind, data) for kind, data in chunks if kind not in (b"IDAT", b"IEND")]
    made = [*kept, (b"IDAT", zlib.compress(bytes(rows), 1)), (b"IEND", b"")]
    return PNG + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in made
    )


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(PNG)
    while at + 8 <= len(png):
        length = int.from_bytes(png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length
