"""How long a JPEG file is: where its picture ends, whatever follows."""

from __future__ import annotations

START, END, SCAN = 0xD8, 0xD9, 0xDA
ALONE = (0x01, *range(0xD0, 0xD8))
"""Markers without a segment: TEM and the restarts, which stand within a scan."""


def length(data: bytes) -> int | None:
    """Bytes from the start of a JPEG to the end of its EOI marker, that of the picture and not of a thumbnail in a
    segment; None where the picture does not begin or end.

    Of what the markers say no more is read than the lengths of their segments (ISO/IEC 10918-1, B.1.1).
    """
    if data[:2] != bytes((0xFF, START)):
        return None
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        marker = data[at + 1]
        if marker == END:
            return at + 2
        if marker == 0xFF:  # a fill byte before a marker
            at += 1
        elif marker == 0 or marker in ALONE:  # a byte of a scan, or what stands within it
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
