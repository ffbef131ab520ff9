"""Files of pictures, of which a run asks for the same ones again and again."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

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


def test_the_lower_of_16_bits_is_another_byte_and_all_ways_of_leaving_8_agree() -> None:
    values = np.arange(256, dtype=np.uint8)
    deep = picture_files._deep(values).astype(np.int64)
    for left in (deep >> 8, deep // 257, np.rint(deep / 257), np.rint(deep * 255 / 65535)):
        assert (left == values).all()
    lower = deep & 255
    assert (deep[0], deep[255]) == (0, 65535)
    assert np.abs(lower - values)[1:176].min() >= 79
    assert np.abs(deep / 257 - values).max() < 0.32


def test_black_parts_may_be_transparent() -> None:
    region = np.array([[True, False], [False, True]])
    with Image.open(io.BytesIO(PictureFile(region, colour="rgba", transparent=True).file())) as file:
        assert file.mode == "RGBA"
        samples = np.asarray(file)
    assert (samples[region] == 255).all()
    assert (samples[~region] == 0).all()


def test_a_jpeg_of_a_camera_begins_with_its_metadata() -> None:
    for progressive in (False, True):
        usual = replace(PLAIN, jpeg=True, progressive=progressive)
        camera = replace(usual, camera=True).file()
        assert usual.file().startswith(b"\xff\xd8\xff\xe0")
        assert camera.startswith(b"\xff\xd8\xff\xe1")
        with Image.open(io.BytesIO(usual.file())) as one, Image.open(io.BytesIO(camera)) as other:
            assert other.getexif()
            assert (np.asarray(one) == np.asarray(other)).all()


def test_few_files_are_kept_and_none_that_is_long() -> None:
    for number in range(picture_files.KEPT + 5):
        replace(PLAIN, extra=number).file()
    assert len(picture_files._WRITTEN) == picture_files.KEPT
    long = replace(PLAIN, extra=picture_files.KEPT_BYTES)
    assert long.file() == long.file()
    assert max(map(len, picture_files._WRITTEN.values())) < 1000
