"""Files of pictures, of which a run asks for the same ones again and again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from local_dream_conformance.scenarios import picture_files
from local_dream_conformance.scenarios.picture_files import PictureFile

PLAIN = PictureFile(np.arange(16 * 24 * 3, dtype=np.uint8).reshape(16, 24, 3))
OTHERS = [
    replace(PLAIN, pixels=PLAIN.pixels[::-1]),
    replace(PLAIN, pixels=PLAIN.pixels.reshape(24, 16, 3)),
    replace(PLAIN, pixels=PLAIN.pixels[..., 0] > 99),
    replace(PLAIN, colour="grey"),
    replace(PLAIN, depth=16),
    replace(PLAIN, interlaced=True),
    replace(PLAIN, jpeg=True),
    replace(PLAIN, jpeg=True, progressive=True),
    replace(PLAIN, exif=True),
    replace(PLAIN, comment=True),
    replace(PLAIN, extra=9),
]


@pytest.fixture(autouse=True)
def _none_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_files, "_WRITTEN", {})


def test_a_file_that_is_kept_is_the_one_that_was_asked_for() -> None:
    first = [picture.file() for picture in (PLAIN, *OTHERS)]
    assert len(set(first)) == len(first)
    assert [replace(picture).file() for picture in (PLAIN, *OTHERS)] == first


def test_few_files_are_kept_and_none_that_is_long() -> None:
    for number in range(picture_files.KEPT + 5):
        replace(PLAIN, extra=number).file()
    assert len(picture_files._WRITTEN) == picture_files.KEPT
    long = replace(PLAIN, extra=picture_files.KEPT_BYTES)
    assert long.file() == long.file()
    assert max(map(len, picture_files._WRITTEN.values())) < 1000
