"""Extension control: what the second port says, what it changes, and who may ask."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local_dream_mockserver.mock.mock import running_mock
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.config import ServerSettings
from tests.mockserver.live_server import PATIENCE, controlled, small

SIZE = {"width": 256, "height": 192}
HERE: dict[str, Any] = {"model_id": "synthetic", **SIZE}
IDLE = {"state": "idle", "serving_model_id": None, "width": None, "height": None}


def engine() -> SyntheticEngine:
    return SyntheticEngine(Pacing(first=0, step=0))


@pytest.fixture
def both() -> Iterator[tuple[str, str]]:
    with controlled(engine()) as urls:
        yield urls


def status(control: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{control}/status").json()
    return found


def select(control: str, **values: Any) -> httpx.Response:
    return httpx.post(f"{control}/select", json=values)


def stop(control: str, **values: Any) -> httpx.Response:
    return httpx.post(f"{control}/stop", json=values)


def generated(url: str) -> int:
    return httpx.post(f"{url}/generate", json=small("a red house"), timeout=PATIENCE).status_code


def test_each_port_has_its_own_paths(both: tuple[str, str]) -> None:
    url, control = both
    for path in ("/info", "/models", "/status"):
        assert httpx.get(url + path).status_code == 404
        assert httpx.get(control + path).status_code == 200
    for path in ("/select", "/stop"):
        assert httpx.post(url + path, json=HERE).status_code == 404
    for path in ("/health", "/", "/docs", "/openapi.json", "/page/about.json", "/nothing"):
        answer = httpx.get(control + path)
        assert (answer.status_code, answer.json()) == (404, {"error": "not found"}), path
    assert httpx.post(f"{control}/generate", json=small("a red house")).json() == {"error": "not found"}
    assert httpx.get(f"{control}/select").json() == {"error": "not found"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_info_answers_every_method(both: tuple[str, str], method: str) -> None:
    answer = httpx.request(method, f"{both[1]}/info").json()
    assert (answer["app"], answer["protocol"]) == ("localdream", 1)


def test_what_is_listed_can_be_selected_and_its_upscalers_enlarge(both: tuple[str, str]) -> None:
    url, control = both
    listed = httpx.get(f"{control}/models").json()
    (model,) = listed["models"]
    assert select(control, model_id=model["id"], width=256, height=192).json() == {"ok": True}
    assert status(control).items() >= {"state": "running", "serving_model_id": "synthetic", **SIZE}.items()
    headers = {"X-Image-Width": "8", "X-Image-Height": "8", "X-Upscaler-Path": listed["upscalers"][0]["path"]}
    assert httpx.post(f"{url}/upscale", content=bytes(8 * 8 * 3), headers=headers).status_code == 200


def test_what_was_stopped_answers_no_generation_until_it_is_selected_again(both: tuple[str, str]) -> None:
    url, control = both
    assert select(control, **HERE).json() == {"ok": True}
    assert stop(control, model_id="synthetic").json() == {"ok": True}
    assert status(control).items() >= IDLE.items()
    assert generated(url) == 503
    assert httpx.get(f"{url}/health").status_code == 200
    assert select(control, model_id="synthetic").json() == {"ok": True}
    assert (status(control)["width"], generated(url)) == (512, 200)


def test_upscaling_alone_can_be_selected(both: tuple[str, str]) -> None:
    url, control = both
    assert select(control, model_id="__upscaler__").json() == {"ok": True}
    assert status(control)["serving_model_id"] == "__upscaler__"
    assert (generated(url), httpx.post(f"{url}/tokenize", json={"prompt": "a"}).status_code) == (404, 404)
    assert httpx.post(f"{url}/upscale").status_code == 400


def test_a_late_stop_stops_nothing(both: tuple[str, str]) -> None:
    _, control = both
    select(control, **HERE)
    before = status(control)
    select(control, model_id="__upscaler__")
    select(control, **HERE)
    assert stop(control, model_id="__upscaler__").json() == {"ok": True, "ignored": True}
    assert status(control) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"model_id": "other"}, 404),
        ({"model_id": ""}, 400),
        ({"model_id": 5}, 400),
        ({}, 400),
        ([], 400),
        ({"model_id": "synthetic", "width": "512"}, 400),
        ({"model_id": "synthetic", "width": True}, 400),
        ({"model_id": "synthetic", "height": 100}, 400),
        ({"model_id": "synthetic", "height": 0}, 400),
        ({"model_id": "synthetic", "width": 1 << 40}, 400),
    ],
)
def test_what_cannot_be_selected_changes_nothing(both: tuple[str, str], body: Any, code: int) -> None:
    _, control = both
    before = status(control)
    answer = httpx.post(f"{control}/select", json=body)
    assert answer.status_code == code
    assert isinstance(answer.json()["error"], str)
    assert status(control) == before


@pytest.mark.parametrize("body", [b"", b'{"model_id": "synt', b"[]", b"{}", b'{"model_id": ""}'])
def test_a_stop_that_names_nothing_stops_nothing(both: tuple[str, str], body: bytes) -> None:
    _, control = both
    assert httpx.post(f"{control}/stop", content=body).status_code == 400
    assert status(control)["state"] == "running"


def test_bodies_have_a_bound(both: tuple[str, str]) -> None:
    _, control = both
    answer = httpx.post(f"{control}/select", content=b" " * (64 * 1024 + 1))
    assert (answer.status_code, list(answer.json())) == (413, ["error"])
    assert select(control, **HERE).status_code == 200


def test_a_server_that_only_upscales_has_no_model() -> None:
    with controlled(engine(), generate=False) as (_, control):
        assert httpx.get(f"{control}/models").json()["models"] == []
        assert status(control)["serving_model_id"] == "__upscaler__"
        assert select(control, model_id="synthetic").status_code == 404


def test_pages_of_other_origins_choose_nothing(both: tuple[str, str]) -> None:
    _, control = both
    for path in ("/select", "/stop"):
        answer = httpx.post(control + path, json=HERE, headers={"Origin": "https://page.example"})
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)
    assert httpx.post(f"{control}/select", json=HERE, headers={"Origin": control}).status_code == 200


def test_foreign_names_are_turned_away() -> None:
    with controlled(engine(), hosts=frozenset({"127.0.0.1"})) as (_, control):
        assert httpx.get(f"{control}/status", headers={"Host": "page.example"}).status_code == 403
        assert httpx.get(f"{control}/status").status_code == 200


def test_a_token_is_asked_for_but_at_info() -> None:
    with controlled(engine(), token="secret") as (_, control):
        assert httpx.get(f"{control}/info").status_code == 200
        for method, path in (("GET", "/models"), ("GET", "/status"), ("POST", "/select"), ("POST", "/stop")):
            assert httpx.request(method, control + path, json=HERE).status_code == 401, path
        known = {"Authorization": "Bearer secret"}
        assert httpx.get(f"{control}/status", headers=known).status_code == 200
        assert httpx.post(f"{control}/select", json=HERE, headers=known).status_code == 200


def test_the_fixture_has_it_where_it_is_asked_for_and_judges_its_port_apart() -> None:
    with running_mock(control=True, settings=ServerSettings()) as mock:
        assert mock.control_url is not None
        assert select(mock.control_url, **HERE).status_code == 200
        assert mock.breaches == []
        assert httpx.post(f"{mock.url}/select", json=HERE).status_code == 404
        assert [breach.requirement for breach in mock.breaches] == ["SRV-01"]
    with running_mock() as mock:
        assert mock.control_url is None


def test_half_a_request_to_one_port_holds_up_neither(both: tuple[str, str]) -> None:
    url, control = both
    with socket.create_connection(("127.0.0.1", httpx.URL(control).port or 0)) as slow:
        slow.sendall(b"POST /select HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        assert status(control)["state"] == "running"
        assert generated(url) == 200
