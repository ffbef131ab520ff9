"""Where a JPEG ends."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from local_dream_conformance.evidence.jpeg import length

PIXELS = np.random.default_rng(3).integers(0, 256, (64, 96, 3), np.uint8)


def written(**options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "JPEG", **options)
    return buffer.getvalue()


THUMBNAIL = b"Exif\x00\x00" + written(quality=10)
FILES = {
    "baseline": written(quality=95),
    "progressive": written(progressive=True),
    "with restarts": written(restart_marker_blocks=2),
    "with a picture in its metadata": written(exif=THUMBNAIL),
    "with a comment": written(comment=b"\xff\xd9 is not the end"),
    "with fill bytes": written().replace(b"\xff\xdb", b"\xff\xff\xff\xdb"),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_a_file_is_as_long_as_its_picture(data: bytes) -> None:
    for more in (b"", b"\xff\xd9", b"x", data, data[100:]):
        assert length(data + more) == len(data)


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8", b"\x89PNG", written()[:-2], written()[:300]])
def test_what_has_no_end_has_no_length(data: bytes) -> None:
    assert length(data) is None
