"""Extensions size and aspect_ratio: other ways to say how large a picture shall be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from tests.mockserver.live_server import events_of, serving, small


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(Pacing(first=0, step=0))) as client:
        yield client


def made(client: httpx.Client, **fields: Any) -> tuple[int, int]:
    complete = events_of(client.post("/generate", json=small() | fields).text)[-1]
    return complete["width"], complete["height"]


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"size": 24}, (24, 24)),
        ({"size": 24.0}, (24, 24)),
        ({"size": None}, (16, 8)),
        ({"aspect_ratio": "1:1"}, (16, 16)),
        ({"aspect_ratio": "16:9", "width": 64, "height": 64}, (64, 32)),
        ({"aspect_ratio": "9:16", "width": 64, "height": 64}, (32, 64)),
        ({"aspect_ratio": "3:2", "width": 64, "height": 128}, (128, 80)),
        ({"aspect_ratio": "99999:1"}, (16, 8)),
        ({"aspect_ratio": "2:3", "size": 48}, (32, 48)),
    ],
)
def test_the_size_of_the_picture(client: httpx.Client, fields: dict[str, Any], size: tuple[int, int]) -> None:
    assert made(client, **fields) == size


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": "24"}, 'size: "24" is of the wrong type; send a multiple of 8 from 8 up, or leave it out'),
        ({"size": 25}, "size: 25 is out of range; send a multiple of 8 from 8 up, or leave it out"),
        ({"size": 0}, "size: 0 is out of range"),
        ({"size": 8192}, "size: 8192 is not within this server's 8 to 4096; send one that is"),
        ({"size": 4096}, "size: 4096x4096 is more than this server's 4194304 pixels"),
        ({"aspect_ratio": "wide"}, 'aspect_ratio: "wide" is of another form; send a string such as 16:9, or leave it'),
        ({"aspect_ratio": "0:1"}, "aspect_ratio: "),
        ({"aspect_ratio": "16:9\n"}, "aspect_ratio: "),
        ({"aspect_ratio": 1.5}, "aspect_ratio: 1.5 is of the wrong type"),
        ({"aspect_ratio": "1:1", "width": 4096}, "aspect_ratio: 4096x4096 is more than this server's 4194304 pixels"),
    ],
)
def test_a_refusal_names_the_field(client: httpx.Client, fields: dict[str, Any], message: str) -> None:
    response = client.post("/generate", json=small() | fields)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(message)


@pytest.mark.parametrize(("name", "value"), [("size", "x"), ("aspect_ratio", 5)])
def test_without_it_the_field_is_an_unknown_one(name: str, value: Any) -> None:
    with serving(SyntheticEngine(Pacing(first=0, step=0)), without=frozenset({name})) as client:
        assert made(client, **{name: value}) == (16, 8)
