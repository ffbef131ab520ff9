"""The folder in which the mock keeps the pictures that it gets and makes."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import httpx
import numpy as np
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from local_dream_mockserver.commands.mock import mock
from local_dream_mockserver.mock.mock import running_mock
from tests.mockserver.client_mock.test_control import mocking
from tests.mockserver.live_server import PATIENCE, events_of, small

PIXEL = {"X-Image-Width": "1", "X-Image-Height": "1", "X-Upscaler-Path": "default"}


def coded(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def opened(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


def test_what_is_made_and_what_came_stays_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pictures"
    image, mask = coded(Image.new("RGB", (32, 16), "teal")), coded(Image.new("L", (16, 8), 255))
    with mocking("--save-pictures", str(folder)) as client:
        complete = events_of(client.post("/generate", json=small()).text)[-1]
        client.post("/generate", json=small(image=image, mask=mask))
        client.post("/upscale", content=b"abc", headers=PIXEL)
        client.post("/generate", json=small(steps="many"))
    assert sorted(path.name for path in folder.iterdir()) == [
        "0001-generated.png",
        "0002-generated.png",
        "0002-image.png",
        "0002-mask.png",
        "0003-small.png",
        "0003-upscaled.png",
    ]
    assert opened(folder / "0001-generated.png").tobytes() == base64.b64decode(complete["image"])
    assert opened(folder / "0002-image.png").shape == (8, 16, 3)
    assert opened(folder / "0003-upscaled.png").shape == (4, 4, 3)


def test_pictures_of_an_earlier_run_stay(tmp_path: Path) -> None:
    (tmp_path / "0041-mine.txt").write_text("x")
    for _ in range(2):
        with running_mock(save_pictures=tmp_path) as running:
            httpx.post(f"{running.url}/generate", json=small(), timeout=PATIENCE)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "0041-mine.txt",
        "0042-generated.png",
        "0043-generated.png",
    ]


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = CliRunner().invoke(mock, ["--save-pictures", str(tmp_path / "file")])
    assert done.exit_code == 2
    assert "--save-pictures" in done.output
    assert "File exists" in done.output
