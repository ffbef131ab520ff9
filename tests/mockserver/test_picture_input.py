"""Pictures as clients send them: real files of every kind, whole and broken."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.image_input import MOST_READS, decode_base64, read_image, read_mask

MOST = 1_000_000
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def card(width: int = 16, height: int = 8) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def read(data: bytes, size: tuple[int, int] = (16, 8)) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return read_image("image", coded(data), size, MOST)


def refusal(text: str, most: int = MOST) -> str:
    with pytest.raises(APIError) as caught:
        read_image("image", text, (16, 8), most)
    assert caught.value.status == 400
    return caught.value.message


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    picture = noise(16, 8)
    assert np.array_equal(read(file(picture)), np.asarray(picture))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_formats(kind: str) -> None:
    picture = read(file(card(), kind))
    assert picture.shape == (8, 16, 3)
    assert picture[4, 2, 0] > 200 > 100 > picture[4, 2, 2]
    assert picture[4, 13, 2] > 200 > 100 > picture[4, 13, 0]


def test_data_url() -> None:
    text = "data:image/png;base64," + coded(file(card()))
    assert np.array_equal(read_image("image", text, (16, 8), MOST), np.asarray(card()))


def test_transparent_parts_are_white_in_an_image_and_black_in_a_mask() -> None:
    glass = Image.new("RGBA", (16, 8), (255, 0, 0, 0))
    glass.paste((0, 255, 0, 255), (8, 0, 16, 8))
    picture = read(file(glass))
    assert tuple(picture[4, 2]) == (255, 255, 255)
    assert tuple(picture[4, 12]) == (0, 255, 0)
    stroke = Image.new("RGBA", (16, 8), (255, 255, 255, 0))
    stroke.paste((255, 255, 255, 255), (8, 0, 16, 8))
    mask = read_mask("mask", coded(file(stroke)), (16, 8), MOST)
    assert mask.shape == (8, 16)
    assert (mask[4, 2], mask[4, 12]) == (0, 255)


def test_palette_with_transparency() -> None:
    glass = Image.new("RGBA", (16, 8), (255, 0, 0, 0))
    glass.paste((0, 0, 255, 255), (8, 0, 16, 8))
    picture = read(file(glass, "GIF"))
    assert tuple(picture[4, 2]) == (255, 255, 255)
    assert tuple(picture[4, 12]) == (0, 0, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_modes(mode: str) -> None:
    grey = np.zeros((8, 16), np.uint8)
    grey[:, 8:] = 255
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(grey).convert("RGB" if mode == "P" else mode).convert(mode)
    picture = read(file(image))
    assert tuple(picture[4, 2]) == (0, 0, 0)
    assert tuple(picture[4, 12]) == (255, 255, 255)


def test_16_bits_are_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 16 * 8).reshape(8, 16).astype(np.uint16)
    picture = read(file(Image.fromarray(ramp)))
    assert np.abs(picture[..., 0].astype(int) - ramp.astype(int) // 257).max() <= 1
    assert read_mask("mask", coded(file(Image.fromarray(ramp))), (16, 8), MOST)[7, 15] == 255


def test_16_bit_colour() -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 0xFFFF, 0x8000, 0x0100) * 16 for _ in range(8))
    picture = read(png(struct.pack(">IIBBBBB", 16, 8, 16, 2, 0, 0, 0), zlib.compress(rows)))
    assert tuple(picture[0, 0]) == (255, 128, 1)


def test_cmyk_jpeg() -> None:
    picture = read(file(card().convert("CMYK"), "JPEG"))
    assert picture[4, 2, 0] > 200 > 100 > picture[4, 2, 2]


def test_exif_turns_the_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read(file(card(8, 16), "JPEG", exif=exif, quality=95, subsampling=0), (16, 8))
    upright = np.asarray(card(8, 16).rotate(-90, expand=True))
    assert np.abs(picture.astype(int) - upright.astype(int)).mean() < 8


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (16, 8), "lime"), Image.new("RGB", (16, 8), "red")]
    data = file(frames[0], kind, save_all=True, append_images=frames[1:])
    assert read(data)[4, 4, 1] > 200


def test_cover_and_crop_in_the_middle() -> None:
    wide = Image.new("RGB", (32, 8), "red")
    wide.paste("lime", (8, 0, 24, 8))
    assert np.array_equal(read(file(wide), (16, 8)), np.asarray(Image.new("RGB", (16, 8), "lime")))
    tall = wide.rotate(90, expand=True)
    assert np.array_equal(read(file(tall), (8, 16)), np.asarray(Image.new("RGB", (8, 16), "lime")))
    assert read(file(noise(3, 999)), (64, 8)).shape == (8, 64, 3)


def test_a_mask_of_another_size_keeps_its_halves() -> None:
    halves = Image.new("L", (100, 50))
    halves.paste(255, (50, 0, 100, 50))
    mask = read_mask("mask", coded(file(halves)), (16, 8), MOST)
    assert (mask[:, :7] == 0).all()
    assert (mask[:, 9:] == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated(kind: str, share: float) -> None:
    data = file(noise(64, 64), kind)
    assert refusal(coded(data[: int(len(data) * share)])).startswith("image: ")


@pytest.mark.parametrize(
    "text",
    [
        "not base64!",
        "aGVsbG8",
        "aGVs\nbG8=",
        "aGVsbG8=\n",
        " aGVsbG8=",
        "aGV-_G8=",
        "é",
        "data:image/png,aGVs",
        "====",
        "a",
    ],
)
def test_not_base64(text: str) -> None:
    assert refusal(text) == "image: not base64; use the standard alphabet, padded, without line breaks"


@pytest.mark.parametrize("text", ["", "data:image/png;base64,"])
def test_empty(text: str) -> None:
    assert refusal(text).startswith("image: empty")


@pytest.mark.parametrize(
    "data", [b"hello", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"<svg/>", b"%PDF-1.4", bytes(4000)]
)
def test_not_a_picture(data: bytes) -> None:
    assert refusal(coded(data)).startswith("image: ")


def png(header: bytes, pixels: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(1001, 1000), (12000, 12000), (60000, 60000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    bomb = png(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), zlib.compress(bytes(1000)))
    assert refusal(coded(bomb)) == "image: more than 1000000 pixels; send a smaller picture"


def test_base64_is_decoded_to_the_byte() -> None:
    data = bytes(range(256))
    assert decode_base64("image", coded(data)) == data


def run_length_coded(compression: int, width: int, height: int) -> bytes:
    """A BMP file in runs of one pixel each."""
    pixels = b"\x01\x07" * (width * height) + b"\x00\x01"
    palette = bytes(4 * 256) if compression == 1 else bytes(4 * 16)
    start = 14 + 40 + len(palette)
    bits = 8 if compression == 1 else 4
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + palette + pixels


@pytest.mark.parametrize("compression", [1, 2])
def test_run_length_coded_bmp_is_refused(compression: int) -> None:
    message = refusal(coded(run_length_coded(compression, 16, 8)))
    assert message == "image: a run-length coded BMP file; send a PNG file as base64"


def test_a_file_of_many_small_blocks_is_given_up() -> None:
    picture = file(card(), "JPEG")
    assert read(picture[:2] + b"\xff" * 1000 + picture[2:]).shape == (8, 16, 3)
    assert "image: not a picture" in refusal(coded(picture[:2] + b"\xff" * MOST_READS + picture[2:]))


def test_a_large_png_in_small_chunks_is_none_of_those() -> None:
    image = noise(1200, 800)
    assert np.array_equal(read(file(image), (1200, 800)), np.asarray(image))


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP", "tEXt", "eXIf after", "unknown"])
def test_a_png_with_much_about_the_picture_is_a_picture(kind: str) -> None:
    info = PngImagePlugin.PngInfo()
    profile: dict[str, Any] = {}
    if kind == "iCCP":
        profile = {"icc_profile": b"x" * (4 << 20)}
    elif kind == "iTXt":
        info.add_itxt("workflow", "x" * (4 << 20), zip=True)
    elif kind == "unknown":
        info.add(b"wfLo", b"x" * (4 << 20))
    elif kind == "eXIf after":
        info.add(b"eXIf", b"MM\0*" + b"\0" * 1000, after_idat=True)
    else:
        info.add_text("workflow", "x" * (4 << 20), zip=kind == "zTXt")
    assert np.array_equal(read(file(card(), pnginfo=info, **profile)), np.asarray(card()))


def test_an_animated_png_is_its_first_frame() -> None:
    assert np.array_equal(read(file(card(), save_all=True, append_images=[card().rotate(180)])), np.asarray(card()))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.7", "a PDF file"),
        (b"\0\0\0\x20ftypheic", "a HEIC file"),
        (b"\0\0\0\x20ftypavif", "an AVIF file"),
        (b"II*\0 rest", "a TIFF file"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "an SVG file"),
        (b"<!DOCTYPE html><p>404", "a web page"),
        (b'{"image": 1}', "JSON"),
        (coded(file(card())).encode(), "base64 of base64"),
        (b"data:image/png;base64,xx", "a data: URL inside base64"),
        (b"hello world!", "text"),
        (b"\0" * 300, "300 bytes of zero"),
        (bytes(range(1, 97)) * 3, "raw pixels are not taken"),
        (PNG_MAGIC + b"\0\0\0", "a damaged file"),
    ],
)
def test_a_refused_picture_says_what_it_is(data: bytes, words: str) -> None:
    message = refusal(coded(data))
    assert message.startswith("image: not a picture, but ")
    assert words in message
    assert message.endswith("send a PNG, JPEG, WEBP, BMP, GIF file as base64")


def test_a_broken_picture_says_what_the_decoder_says() -> None:
    assert "truncated" in refusal(coded(file(noise(64, 64))[:-3000]))
    assert "(" in refusal(coded(file(noise(64, 64), "JPEG")[:700]))
