"""Extension reference_images: the engine gets each in its own size, and the picture follows them."""

from __future__ import annotations

import base64
import io
from typing import Any, ClassVar

import httpx
import numpy as np
import pytest
from PIL import Image

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from tests.mockserver.live_server import events_of, serving, small


class Deaf(SyntheticEngine):
    """Follows no pictures."""

    follows_pictures: ClassVar[bool] = False


def picture(value: int, width: int = 24, height: int = 40) -> str:
    file = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), value, np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def ask(client: httpx.Client, *references: Any, **fields: Any) -> httpx.Response:
    fields = {"reference_images": list(references)} | fields
    return client.post("/generate", json=small("a red house", seed=1) | fields)


def image(answer: httpx.Response) -> str:
    return str(events_of(answer.text)[-1]["image"])


def test_the_picture_follows_each_of_them() -> None:
    with serving(SyntheticEngine(Pacing(first=0, step=0))) as client:
        plain = image(ask(client, reference_images=None))
        one = image(ask(client, picture(200)))
        two = image(ask(client, picture(200), picture(10, 3000, 8)))
        assert len({plain, one, two}) == 3
        assert image(ask(client, picture(200))) == one
        assert image(ask(client, picture(200), image=picture(90, 64, 64))) not in (plain, one, two)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "reference_images: empty; send an array of pictures as base64"),
        ("x", 'reference_images: "x" is of the wrong type'),
        ([picture(1), 5], "reference_images: 5 is of the wrong type"),
        (["@@@@"], "reference_images: not base64"),
        (["bm8gcGljdHVyZQ=="], "reference_images: not a picture"),
    ],
)
def test_what_is_refused(value: object, words: str) -> None:
    with serving(SyntheticEngine()) as client:
        answer = ask(client, reference_images=value)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith(words)


def test_a_model_that_follows_none_refuses_and_a_server_without_it_ignores() -> None:
    with serving(Deaf()) as client:
        answer = ask(client, picture(1))
        assert (answer.status_code, "follows no pictures" in answer.text) == (400, True)
    with serving(SyntheticEngine(), without=frozenset({"reference_images"})) as client:
        assert ask(client, "@").status_code == 200
