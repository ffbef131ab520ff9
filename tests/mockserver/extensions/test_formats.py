"""Extension formats: pictures as PNG and JPEG, the same pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from tests.mockserver.live_server import events_of, serving, small


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(Pacing(first=0, step=0))) as client:
        yield client


def asked(client: httpx.Client, **fields: Any) -> list[dict[str, Any]]:
    body = small(seed=3, width=48, height=32, show_diffusion_process=True) | fields
    return events_of(client.post("/generate", json=body).text)


def pixels(event: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    data = base64.b64decode(event["image"], validate=True)
    if event.get("format", "raw") == "raw":
        return np.frombuffer(data, np.uint8).reshape(32, 48, 3)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == event["format"].upper()
        assert image.mode == "RGB"
        return np.asarray(image)


@pytest.mark.parametrize("output", ["raw", "jpeg", "png"])
@pytest.mark.parametrize("preview", ["raw", "jpeg", "png"])
def test_each_picture_is_of_the_format_that_was_asked_for(client: httpx.Client, output: str, preview: str) -> None:
    plain = asked(client)
    coded = asked(client, output_format=output, preview_format=preview)
    assert [event.get("format") for event in plain] == [None] * 4
    assert [event["format"] for event in coded] == [preview] * 3 + [output]
    for before, after, format in zip(plain, coded, [preview] * 3 + [output], strict=True):
        difference = np.abs(pixels(before).astype(int) - pixels(after).astype(int))
        assert difference.max() == 0 if format != "jpeg" else difference.mean() < 6


@pytest.mark.parametrize(("sent", "other"), [("output_format", "preview_format"), ("preview_format", "output_format")])
def test_the_one_that_is_left_out_means_raw(client: httpx.Client, sent: str, other: str) -> None:
    *previews, complete = asked(client, **{sent: "png", other: None})
    formats = {"preview_format": {event["format"] for event in previews}, "output_format": {complete["format"]}}
    assert formats == {sent: {"png"}, other: {"raw"}}


@pytest.mark.parametrize("field", ["output_format", "preview_format"])
@pytest.mark.parametrize("value", ["bmp", "PNG", 5, ["png"]])
def test_another_format_is_refused(client: httpx.Client, field: str, value: Any) -> None:
    response = client.post("/generate", json=small(**{field: value}))
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(f"{field}: ")
    assert "one of raw, jpeg, png" in response.json()["error"]["message"]


def test_without_it_the_fields_are_unknown_ones() -> None:
    with serving(SyntheticEngine(Pacing(first=0, step=0)), without=frozenset({"formats"})) as client:
        events = asked(client, output_format="png", preview_format=["not even a string"])
        assert all("format" not in event for event in events)
        assert pixels(events[-1]).shape == (32, 48, 3)
