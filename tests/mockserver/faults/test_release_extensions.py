"""What the releases have of the extensions, beyond what the recordings show; and faults beside formats."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.extensions.catalogue import NAMES
from local_dream_mockserver.server.extensions.remote_control import NAME as CONTROL
from local_dream_mockserver.server.image_output import file_of
from tests.mockserver.live_server import PATIENCE, events_of, running, small


@contextmanager
def release(name: str, without: frozenset[str] = frozenset()) -> Iterator[httpx.Client]:
    """As the command line starts it."""
    personality = personalities()[name]
    alteration = personality.make()
    settings = ServerSettings(without=without | frozenset(personality.without))
    app = create_faulty_app(SyntheticEngine(Pacing(first=0, step=0)), settings, lambda scope: alteration)
    with running(app) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
        yield client


def complete(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    return events_of(client.post("/generate", json=small(seed=1) | fields).text)[-1]


@pytest.mark.parametrize("name", ["2.4", "2.7"])
def test_the_names_of_what_it_lacks_are_extensions(name: str) -> None:
    assert set(personalities()[name].without) <= {*NAMES, CONTROL}


@pytest.mark.parametrize("name", ["2.4", "2.7"])
def test_size_overrides_and_a_ratio_is_ignored(name: str) -> None:
    with release(name) as client:
        made = complete(client, size=24, aspect_ratio="1:2")
        assert (made["width"], made["height"]) == (24, 24)
        assert client.post("/generate", json=small(size="24")).status_code == 500


@pytest.mark.parametrize("name", ["2.4", "2.7"])
def test_lcm_is_a_scheduler_of_its_own_and_a_name_that_there_is_not_means_dpm(name: str) -> None:
    with release(name) as client:
        images = {scheduler: complete(client, scheduler=scheduler)["image"] for scheduler in ("dpm", "lcm", "ddim")}
        assert images["ddim"] == images["dpm"] != images["lcm"]


@pytest.mark.parametrize(("name", "more"), [("2.4", {}), ("2.7", {"overflow_offset": -1})])
def test_tokenize(name: str, more: dict[str, int]) -> None:
    with release(name) as client:
        assert client.post("/tokenize", json={"prompt": "a cat"}).json() == {"count": 4, "max_length": 77} | more
        assert client.post("/tokenize", json={}).json() == {"count": 2, "max_length": 77} | more
        for body in (b"", b'{"prompt": 5}', b"{"):
            refused = client.post("/tokenize", content=body)
            assert refused.status_code == 400
            assert refused.json()["error"]["type"] == "tokenize_error"
            assert refused.json()["error"]["message"].startswith("[json.exception.")


def test_a_release_without_one_of_its_extensions() -> None:
    with release("2.7", frozenset({"formats", "tokenize"})) as client:
        assert "format" not in complete(client, output_format="png")
        assert client.post("/tokenize", json={"prompt": "a cat"}).status_code == 404


@pytest.mark.parametrize("format", [None, "raw", "png"])
def test_a_fault_changes_a_picture_whatever_its_format(format: str | None) -> None:
    rgb = np.arange(16 * 8 * 3, dtype=np.uint8).reshape(8, 16, 3)
    image = base64.b64encode(file_of(rgb, format or "raw")).decode()
    payload = {"image": image} if format is None else {"image": image, "format": format}
    redrawn = Message("complete", "complete", payload).redrawn((16, 8), lambda picture: 255 - picture)
    changed = redrawn.picture((16, 8))
    assert changed is not None
    assert np.array_equal(changed, 255 - rgb)
    assert redrawn.payload.get("format") == format
