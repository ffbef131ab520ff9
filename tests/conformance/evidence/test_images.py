"""Pictures of targets: strict base64, limits against bombs."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from local_dream_conformance.evidence import images
from local_dream_conformance.evidence.images import BadPicture, decode, decode_base64, of_payload
from local_dream_conformance.evidence.pixels import Pixels, psnr
from local_dream_conformance.scenarios.picture_files import PictureFile
from local_dream_conformance.scenarios.test_images import card, jpeg, mask, png

CARD = card(40, 24)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("AAA", "padded with 0 '=' where 1 belong"),
        ("AAAA=", "padded with 1 '=' where 0 belong"),
        ("AA===", "padded with 3"),
        ("AAAAA", "no bytes encode"),
        ("AA-_", "character 2: '-' (the URL-safe alphabet)"),
        ("AAAA\nAAAA", "character 4: '\\\\n' (white space: it is wrapped)"),
        ("AA==AAAA", "character 2: '=' (padding in the middle)"),
        ("data:image/png;base64,AAAA", "character 4: ':' (a data: URL)"),
        ("AAA\x1b", "character 3"),
    ],
)
def test_base64_that_is_not(text: str, said: str) -> None:
    with pytest.raises(BadPicture) as caught:
        decode_base64(text)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_base64_that_is() -> None:
    for length in range(1, 8):
        assert decode_base64(b64(bytes(range(length)))) == bytes(range(length))


def test_raw_pictures() -> None:
    picture = images.raw_rgb(CARD.tobytes(), 40, 24)
    assert np.array_equal(picture.pixels, CARD)
    assert picture.size == (40, 24)
    for data, size, said in [
        (CARD.tobytes()[:-1], (40, 24), "2879 bytes where 40x24 raw RGB has 2880"),
        (png(CARD), (40, 24), "it is a png"),
        (b"", (0, 5), "0x5"),
        (b"", (10**9, 10**9), "1000000000x1000000000"),
    ]:
        with pytest.raises(BadPicture, match=said):
            images.raw_rgb(data, *size)


def test_payloads() -> None:
    raw = {"image": b64(CARD.tobytes()), "width": 40, "height": 24}
    assert np.array_equal(of_payload(raw).pixels, CARD)
    assert np.array_equal(of_payload({**raw, "format": "raw"}).pixels, CARD)
    assert np.array_equal(of_payload({"image": raw["image"]}, (40, 24)).pixels, CARD)
    assert np.array_equal(of_payload({"image": b64(png(CARD)), "format": "png"}).pixels, CARD)
    assert psnr(of_payload({"image": b64(jpeg(CARD)), "format": "jpeg"}).pixels, CARD) > 40
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "missing"),
        ({"image": 5}, "int"),
        ({"image": raw["image"]}, "without integers"),
        ({**raw, "width": "40"}, "without integers"),
        ({**raw, "format": "png"}, "does not begin as a PNG"),
        ({**raw, "format": "webp\x1b"}, "'webp"),
        ({**raw, "format": []}, "format is"),
    ]
    for payload, said in wrong:
        with pytest.raises(BadPicture, match=said) as caught:
            of_payload(payload)
        assert str(caught.value).isprintable()


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", pixels) + _png_chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height"), [(6000, 6000), (12_000, 12_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)]
)
def test_picture_bombs_are_not_decoded(width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: Image.Image) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(Image.Image, "load", load)
    with pytest.raises(BadPicture, match=r"pixels|bomb|exceeds"):
        decode(png_bomb(width, height), "png")


def test_text_bombs_and_broken_files_are_bad_pictures() -> None:
    whole = png(CARD)
    text = _png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(100 << 20)))
    for data in (whole[:33] + text + whole[33:], whole[: len(whole) // 2], whole[:20], png_bomb(100, 100)[:60]):
        with pytest.raises(BadPicture, match="cannot be decoded as a PNG"):
            decode(data, "png")
    with pytest.raises(BadPicture, match="cannot be decoded as a JPEG"):
        decode(jpeg(CARD)[:200], "jpeg")
    with pytest.raises(BadPicture, match="does not begin as a JPEG: 89 50"):
        decode(whole, "jpeg")
    with pytest.raises(BadPicture, match="no bytes"):
        decode(b"", "jpeg")


def test_the_stored_colours_are_told() -> None:
    buffer = io.BytesIO()
    Image.fromarray(CARD).convert("L").save(buffer, "JPEG")
    assert decode(buffer.getvalue(), "jpeg").mode == "L"
    assert decode(jpeg(CARD), "jpeg").mode == "RGB"


@pytest.mark.parametrize("size", [(17, 13), (13, 40), (48, 48), (208, 24), (8, 8)])
def test_the_card_shows_every_mistake(size: tuple[int, int]) -> None:
    """Mirrored, turned, with swapped channels or a wrong row length it is another picture by far."""
    original = card(*size)
    width, height = size

    def as_bytes_of(wrong: int) -> Pixels:
        rows = np.zeros((height, wrong, 3), np.uint8)
        rows[:, : min(width, wrong)] = original[:, : min(width, wrong)]
        flat = np.resize(rows.reshape(-1), height * width * 3)
        return flat.reshape(height, width, 3)

    mistakes: dict[str, Pixels] = {
        "x": original[:, ::-1],
        "y": original[::-1],
        "turned": original[::-1, ::-1],
        "bgr": original[:, :, ::-1],
        "stride+1": as_bytes_of(width + 1),
        "stride-1": as_bytes_of(width - 1),
        "grey": np.repeat(original.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2),
    }
    if width == height:
        mistakes["swapped axes"] = original.transpose(1, 0, 2)
    for name, wrong in mistakes.items():
        assert psnr(original, wrong) < 20, name
    assert psnr(original, decode(jpeg(original), "jpeg").pixels) > 35


def test_masks_and_pictures_of_requests_are_read_back() -> None:
    assert np.array_equal(images.pixels_of(png(mask(40, 24)))[:, :, 0] == 255, mask(40, 24))
    assert np.array_equal(images.pixels_of(png(CARD)), CARD)


def test_grey_of_16_bits_is_read_as_what_it_shows() -> None:
    shown = card(32, 16)
    deep, plain = (PictureFile(shown, colour="grey", depth=depth).file() for depth in (16, 8))
    assert np.array_equal(images.pixels_of(deep), images.pixels_of(plain))
