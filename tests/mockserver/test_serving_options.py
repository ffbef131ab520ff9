"""The options of the command that choose what kind of server it is."""

from __future__ import annotations

import httpx
import pytest

from tests.mockserver.live_server import events_of, small
from tests.mockserver.test_server import process


@pytest.mark.parametrize("module", ["local_dream_mockserver", "local_dream_mockserver.commands.serve"])
def test_without_busy_and_a1111(module: str) -> None:
    engine = () if module == "local_dream_mockserver" else ("--engine", "synthetic", "-o", "any_upscaler=true")
    with process("--without", "size", "--a1111", *engine, module=module) as (_, url):
        complete = events_of(httpx.post(f"{url}/generate", json=small(size=24)).text)[-1]
        assert (complete["width"], complete["height"]) == (16, 8)
        assert "access-control-allow-origin" not in httpx.get(f"{url}/health", headers={"Origin": "http://x"}).headers
        assert httpx.get(f"{url}/sdapi/v1/samplers").status_code == 200
        phone = {"X-Image-Width": "4", "X-Image-Height": "4", "X-Upscaler-Path": "/data/upscaler.bin"}
        expected = 400 if module == "local_dream_mockserver" else 200
        assert httpx.post(f"{url}/upscale", content=bytes(48), headers=phone).status_code == expected


def test_upscaling_alone() -> None:
    with process("--no-generate") as (_, url):
        assert httpx.post(f"{url}/generate", json=small()).status_code == 404
        assert httpx.get(f"{url}/health").status_code == 200


def test_busy() -> None:
    with (
        process("--busy", "--pace-step", "3600") as (_, url),
        httpx.Client(base_url=url) as client,
        client.stream("POST", "/generate", json=small()) as first,
    ):
        assert first.status_code == 200
        assert client.post("/generate", json=small()).status_code == 503
