"""`local-dream upscale` with the mock on a real port."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from local_dream_conformance.client.upscale import upscale
from local_dream_mockserver import Mock
from tests.conformance.client.commands import run


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)).save(tmp_path / "in.png")
    return tmp_path / "in.png"


def ask(url: str, picture: Path, out: Path, *options: str) -> Result:
    return CliRunner().invoke(upscale, [url, str(picture), "-o", str(out), *options])


def test_a_picture_four_times_the_size(local_dream_mock: Mock, picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    done = run("upscale", local_dream_mock.url, str(picture), "-o", str(out))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{out}: 24x16, ")
    with Image.open(out) as image:
        assert (image.format, image.size) == ("JPEG", (24, 16))
    [request] = local_dream_mock.requests
    assert request.body == bytes(range(72))
    assert (request.headers["x-upscaler-path"], request.headers.get("x-use-opencl")) == ("default", None)
    assert local_dream_mock.breaches == []


def test_the_other_headers_and_another_kind_of_file(local_dream_mock: Mock, picture: Path, tmp_path: Path) -> None:
    done = ask(
        local_dream_mock.url, picture, tmp_path / "out.png", "--upscaler-path", "/sdcard/größer.bin", "--use-opencl"
    )
    assert done.exit_code == 0, done.output
    headers = local_dream_mock.requests[0].headers
    assert headers["x-upscaler-path"].encode("latin-1").decode() == "/sdcard/größer.bin"
    assert headers["x-use-opencl"] == "true"
    with Image.open(tmp_path / "out.png") as image:
        assert (image.format, image.size) == ("PNG", (24, 16))
    assert local_dream_mock.breaches == []


def test_what_is_turned_or_transparent_is_sent_as_it_looks(local_dream_mock: Mock, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGBA", (2, 1), (0, 0, 0, 0)).save(tmp_path / "in.png", exif=exif)
    assert ask(local_dream_mock.url, tmp_path / "in.png", tmp_path / "out.jpg").exit_code == 0
    [request] = local_dream_mock.requests
    assert (request.headers["x-image-width"], request.headers["x-image-height"]) == ("1", "2")
    assert request.body == b"\xff" * 6


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("busy", "the server is busy (503): "),
        ({"refusal": "no such model"}, "the server refused (400): no such model"),
        ({"faulty": "upscale-empty"}, "the server's picture is none: "),
        ({"faulty": "reset@bytes:300"}, "the server's picture is none (Connection reset"),
    ],
)
def test_failures(local_dream_mock: Mock, picture: Path, tmp_path: Path, answer: str, words: str) -> None:
    local_dream_mock.script([answer])
    done = ask(local_dream_mock.url, picture, tmp_path / "out.jpg")
    assert (done.exit_code, (tmp_path / "out.jpg").exists()) == (1, False)
    assert done.output.startswith(f"Error: {words}")


@pytest.mark.parametrize(
    ("name", "words"), [("none.png", "does not exist"), ("text.png", "cannot be read as a picture")]
)
def test_what_is_no_picture_is_not_sent(local_dream_mock: Mock, tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "text.png").write_text("hello")
    done = ask(local_dream_mock.url, tmp_path / name, tmp_path / "out.jpg")
    assert (done.exit_code, words in done.output, local_dream_mock.requests) == (2, True, [])


def test_nothing_is_overwritten(local_dream_mock: Mock, picture: Path) -> None:
    done = ask(local_dream_mock.url, picture, picture)
    assert (done.exit_code, "--force" in done.output, local_dream_mock.requests) == (2, True, [])
