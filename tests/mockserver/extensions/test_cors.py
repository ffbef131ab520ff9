"""Extension cors: what a browser asks, and what it must find in the answers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from local_dream_mockserver.mock.synthetic import SyntheticEngine
from tests.mockserver.live_server import serving, small

PAGE = {"Origin": "https://page.example"}
UPSCALE = {"X-Image-Width": "4", "X-Image-Height": "3", "X-Upscaler-Path": "default"}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(), max_body=1000) as client:
        yield client


def preflight(client: httpx.Client, path: str, headers: str, method: str = "POST") -> httpx.Response:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return client.options(path, headers=PAGE | asked)


@pytest.mark.parametrize("path", ["/generate", "/upscale", "/tokenize", "/health", "/nope"])
def test_a_preflight(client: httpx.Client, path: str) -> None:
    wanted = "content-type,x-image-width,x-image-height,x-upscaler-path,x-use-opencl"
    response = preflight(client, path, wanted)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-headers"] == wanted
    assert "POST" in response.headers["access-control-allow-methods"]
    assert int(response.headers["access-control-max-age"]) > 0
    assert "content-length" not in response.headers


def test_a_method_that_there_is_nowhere(client: httpx.Client) -> None:
    assert preflight(client, "/generate", "content-type", "DELETE").status_code == 400


def test_every_answer_lets_the_page_read_it(client: httpx.Client) -> None:
    answers = [
        client.get("/health", headers=PAGE),
        client.post("/generate", json=small(), headers=PAGE),
        client.post("/generate", content=b"", headers=PAGE),
        client.post("/generate", content=bytes(2000), headers=PAGE),
        client.post("/upscale", content=bytes(36), headers=PAGE | UPSCALE),
        client.post("/upscale", content=bytes(36), headers=PAGE),
        client.get("/nope", headers=PAGE),
        client.get("/generate", headers=PAGE),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 413, 200, 400, 404, 405]
    assert {tuple(answer.headers.get_list("access-control-allow-origin")) for answer in answers} == {("*",)}
    exposed = {name.strip() for name in answers[4].headers["access-control-expose-headers"].split(",")}
    assert exposed >= {"X-Output-Width", "X-Output-Height", "X-Duration-Ms"}


def test_other_clients_see_nothing_of_it(client: httpx.Client) -> None:
    assert not [name for name in client.get("/health").headers if name.startswith("access-control")]
    assert client.options("/health").status_code == 405


def test_without_it_no_page_is_let_in() -> None:
    with serving(SyntheticEngine(), without=frozenset({"cors"})) as client:
        assert preflight(client, "/generate", "content-type").status_code == 405
        assert "access-control-allow-origin" not in client.get("/health", headers=PAGE).headers
