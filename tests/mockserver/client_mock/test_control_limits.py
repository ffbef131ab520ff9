"""What is ordered under /__mock__/ has bounds, and what clients sent breaks no answer there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local_dream_mockserver.faults.catalogue import Fault, Quirk, entries
from local_dream_mockserver.faults.selection import HEADER, MOST_AT_ONCE
from local_dream_mockserver.mock import control_api
from local_dream_mockserver.mock.answers import LONGEST_MESSAGE
from local_dream_mockserver.mock.mock import Mock, running_mock
from tests.mockserver.live_server import PATIENCE, dialled, eventually, small

FAULTS = [name for name, entry in entries().items() if isinstance(entry, Fault) and not entry.extensions]
QUIRKS = [name for name, entry in entries().items() if isinstance(entry, Quirk) and not entry.extensions]


@pytest.fixture
def client(local_dream_mock: Mock) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=local_dream_mock.url, timeout=PATIENCE) as client:
        yield client


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400, "1e999", "NaN", "-0.1", "3600.1"])
def test_a_pace_that_is_no_time_is_refused(client: httpx.Client, number: str) -> None:
    answer = client.put("/__mock__/pace", content=f'{{"step": {number}}}')
    assert answer.status_code == 400
    assert "pace step" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/__mock__/requests", "/__mock__/breaches"])
def test_what_is_no_character_is_told(client: httpx.Client, path: str) -> None:
    client.post("/generate", content=b'{"prompt": "x", "steps": 1, "width": 16, "height": 8, "\\ud800": 1}')
    answer = client.get(path)
    assert answer.status_code == 200
    assert "\\ud800" in answer.text


@pytest.mark.parametrize(
    ("path", "first", "more"),
    [
        ("/__mock__/fault", FAULTS[:MOST_AT_ONCE], FAULTS[MOST_AT_ONCE : MOST_AT_ONCE + 1]),
        ("/__mock__/quirk", QUIRKS[:MOST_AT_ONCE], QUIRKS[MOST_AT_ONCE : MOST_AT_ONCE + 1]),
        ("/__mock__/script", [{"faulty": ["crlf"] * 1000}], [{"faulty": ["crlf", *QUIRKS[:MOST_AT_ONCE]]}]),
        ("/__mock__/script", [{"refusal": "x" * LONGEST_MESSAGE}], [{"refusal": "x" * (LONGEST_MESSAGE + 1)}]),
    ],
)
def test_orders_have_a_bound(client: httpx.Client, path: str, first: list[Any], more: list[Any]) -> None:
    assert client.put(path, content=json.dumps(first)).status_code == 200
    before = client.get("/__mock__/").json()
    answer = client.post(path, content=json.dumps(more))
    assert answer.status_code == 400
    assert "at most" in answer.json()["error"]["message"]
    assert client.get("/__mock__/").json() == before


@pytest.mark.parametrize("by_header", [True, False])
def test_what_is_named_twice_acts_once(client: httpx.Client, by_header: bool) -> None:
    names = ["comments"] * 40  # each comments what the others have made: 2 to the 40 events
    client.put("/__mock__/quirk", content=json.dumps([] if by_header else names))
    answer = client.post("/generate", json=small(), headers={HEADER: ",".join(names)} if by_header else {})
    assert answer.text.count("event: complete") == 1
    assert answer.text.count("\n:") < 40


def test_a_header_that_names_too_much_is_refused(client: httpx.Client) -> None:
    answer = client.post("/generate", json=small(), headers={HEADER: ",".join(QUIRKS[: MOST_AT_ONCE + 1])})
    assert answer.status_code == 400
    assert "at most" in answer.json()["error"]["message"]


def test_those_who_wait_keep_nobody_from_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_api, "MOST_WAITS", 50)  # more than all others have
    with running_mock() as mock, httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        request = b"GET /__mock__/wait?request=1&events=999&seconds=60 HTTP/1.1\r\nHost: a\r\n\r\n"
        waiting = [dialled(client) for _ in range(50)]
        try:
            for one in waiting:
                one.sendall(request)
            eventually(lambda: client.get("/__mock__/wait?request=2&seconds=0").status_code == 503)
            sizes = {"X-Image-Width": "4", "X-Image-Height": "4", "X-Upscaler-Path": "default"}
            assert client.post("/upscale", content=bytes(48), headers=sizes).status_code == 200  # that is request 1
            for one in waiting:
                assert one.recv(15) == b"HTTP/1.1 200 OK"
        finally:
            for one in waiting:
                one.close()
