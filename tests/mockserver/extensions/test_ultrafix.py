"""Extension ultrafix: what is refused, and that the picture is the image refined."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import numpy as np
import pytest
from PIL import Image

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from tests.mockserver.live_server import events_of, serving, small

WIDE = {"width": 96, "height": 64, "tile_size": 64, "ultrafix": True}


class Whole(SyntheticEngine):
    """Paints pictures at once only."""

    refines: ClassVar[bool] = False


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(Pacing(first=0, step=0))) as client:
        yield client


def picture() -> str:
    file = io.BytesIO()
    Image.fromarray(np.full((64, 96, 3), 90, np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def ask(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/generate", json=small("a red house", seed=1, steps=4) | WIDE | fields)


def test_the_picture_is_as_large_as_asked_for_and_comes_without_previews(client: httpx.Client) -> None:
    events = events_of(ask(client, image=picture(), denoise_strength=0.5, show_diffusion_process=True).text)
    assert (events[-1]["type"], events[-1]["width"], events[-1]["height"]) == ("complete", 96, 64)
    assert len(base64.b64decode(events[-1]["image"])) == 96 * 64 * 3
    assert not any("image" in event for event in events[:-1])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"image": None}, "ultrafix: needs an image"),
        ({"mask": "..."}, "ultrafix: takes no mask"),
        ({"tile_size": 72}, "tile_size: 72 is more than the shorter side, 64"),
        ({"tile_size": None}, "tile_size: 512 is more than the shorter side, 64"),
        ({"tile_size": 12}, "tile_size: 12 is out of range"),
        ({"tile_size": 0}, "tile_size: 0 is out of range"),
        ({"tile_size": "64"}, "tile_size: "),
        ({"ultrafix": 1}, "ultrafix: 1 is of the wrong type"),
    ],
)
def test_what_is_refused(client: httpx.Client, fields: dict[str, Any], words: str) -> None:
    answer = ask(client, **{"image": picture()} | fields)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(words)


def test_without_it_tiles_have_no_meaning(client: httpx.Client) -> None:
    def painted(**fields: Any) -> str:
        return str(events_of(ask(client, image=picture(), **fields).text)[-1]["image"])

    plain = painted(ultrafix=False, tile_size=512)
    assert plain == painted(ultrafix=None, tile_size=None)
    assert plain != painted()


def test_an_engine_that_does_not_refine_refuses_and_a_server_without_it_ignores() -> None:
    with serving(Whole()) as client:
        answer = ask(client, image=picture())
        assert (answer.status_code, "not supported" in answer.text) == (400, True)
        assert ask(client, ultrafix=False).status_code == 200
    with serving(SyntheticEngine(), without=frozenset({"ultrafix"})) as client:
        assert ask(client, tile_size="x").status_code == 200
