"""What a test of a client's stop button needs: a generation at a pace of its own or held, and to know how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.datastructures import Headers

from local_dream_mockserver.mock.mock import Mock
from local_dream_mockserver.mock.request_log import RequestLog
from tests.mockserver.client_mock.test_control import mocking
from tests.mockserver.live_server import PATIENCE, events_of, small

PIXEL = {"X-Image-Width": "1", "X-Image-Height": "1", "X-Upscaler-Path": "default"}


@pytest.fixture
def client(local_dream_mock: Mock) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=local_dream_mock.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with mocking("--control") as client:
        yield client


@pytest.fixture
def remote(server: httpx.Client) -> httpx.Client:
    """The mock as a test in another language has it."""
    assert server.post("/__mock__/reset").status_code == 200
    return server


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def test_a_client_that_stops_is_seen_to_stop_where_it_did(local_dream_mock: Mock, client: httpx.Client) -> None:
    mock = local_dream_mock
    mock.script([mock.paced(hold=2)])
    with client.stream("POST", "/generate", json=small()) as answer:
        pieces = answer.iter_raw()
        assert b'"step":2' in next(pieces) + next(pieces)
        assert not mock.wait_for_events(2).over
        with pytest.raises(TimeoutError, match="request 1: 2 of 3 events"):
            mock.wait_for_events(3, seconds=0.1)
    hung_up = mock.requests[0].wait().hung_up
    assert hung_up is not None
    assert hung_up.events_sent == 2


def test_what_is_held_goes_on_when_it_is_released(
    local_dream_mock: Mock, client: httpx.Client, threads: ThreadPoolExecutor
) -> None:
    mock = local_dream_mock
    mock.script([mock.paced(hold=0), {"paced": {"hold": 3}}])
    for events in (0, 3):
        asked = threads.submit(client.post, "/generate", json=small())
        held = mock.wait_for_events(events)
        assert (held.over, held.events_sent) == (False, events)
        mock.release()
        assert len(events_of(asked.result().text)) == 4
        assert mock.wait_for_events(99, request=held.number).over


def test_an_upscale_is_held_before_its_answer(
    local_dream_mock: Mock, client: httpx.Client, threads: ThreadPoolExecutor
) -> None:
    mock = local_dream_mock
    mock.script([mock.paced(hold=0)])
    asked = threads.submit(client.post, "/upscale", content=b"abc", headers=PIXEL)
    held = mock.wait_for_events(0, request=1)
    with pytest.raises(TimeoutError):
        held.wait(0.1)
    mock.release()
    assert asked.result().status_code == 200


def test_a_reset_releases(local_dream_mock: Mock, client: httpx.Client, threads: ThreadPoolExecutor) -> None:
    mock = local_dream_mock
    mock.script([mock.paced(hold=1)])
    asked = threads.submit(client.post, "/generate", json=small())
    mock.wait_for_events()
    mock.reset()
    assert events_of(asked.result().text)[-1]["type"] == "complete"


def test_a_pace_is_that_of_one_request_alone(local_dream_mock: Mock, client: httpx.Client) -> None:
    mock = local_dream_mock
    mock.pace(step=3600, upscale=3600)
    mock.script([mock.paced(first=0.1, step=0.1), mock.paced(upscale=0.1)])
    complete = events_of(client.post("/generate", json=small(steps=2)).text)[-1]
    assert complete["generation_time_ms"] >= 300
    assert int(client.post("/upscale", content=b"abc", headers=PIXEL).headers["x-duration-ms"]) >= 100
    with (
        client.stream("POST", "/generate", json=small()),
        pytest.raises(TimeoutError, match="request 3: 0 of 1 events"),
    ):
        mock.wait_for_events(seconds=0.2)


def test_waiting_for_a_generation_that_does_not_come(local_dream_mock: Mock, client: httpx.Client) -> None:
    client.post("/generate", json=small())
    with pytest.raises(TimeoutError, match=r"no generation is under way after 0\.1 s, and 1 requests are in"):
        local_dream_mock.wait_for_events(seconds=0.1)
    with pytest.raises(TimeoutError, match="there is no request 2"):
        local_dream_mock.wait_for_events(seconds=0.1, request=2)


def test_a_stop_button_over_http(remote: httpx.Client) -> None:
    assert remote.put("/__mock__/script", json=[{"paced": {"hold": 2}}]).json()["script"] == ["paced"]
    with remote.stream("POST", "/generate", json=small()):
        held = remote.get("/__mock__/wait?events=2&seconds=20").json()
        assert (held["number"], held["over"], held["events_sent"]) == (1, False, 2)
        late = remote.get("/__mock__/wait?events=3&seconds=0.1")
        assert (late.status_code, "2 of 3 events" in late.json()["error"]["message"]) == (408, True)
    over = remote.get("/__mock__/wait?events=99&request=1&seconds=20").json()
    assert (over["over"], over["hung_up"]["events_sent"]) == (True, 2)


def test_hold_and_release_over_http(remote: httpx.Client, threads: ThreadPoolExecutor) -> None:
    remote.put("/__mock__/script", json=[{"paced": {"hold": 1, "step": 0.05}}])
    asked = threads.submit(remote.post, "/generate", json=small())
    assert remote.get("/__mock__/wait?seconds=20").json()["events_sent"] == 1
    assert remote.post("/__mock__/release").status_code == 200
    assert events_of(asked.result().text)[-1]["type"] == "complete"


def test_the_pace_over_http(remote: httpx.Client) -> None:
    slow = {"first": 0, "step": 0.1, "upscale": 0}
    assert remote.put("/__mock__/pace", json={"step": 0.1}).json()["pace"] == slow
    assert events_of(remote.post("/generate", json=small()).text)[-1]["generation_time_ms"] >= 300
    for back in (remote.delete("/__mock__/pace"), remote.post("/__mock__/reset")):
        assert back.json()["pace"] == {"first": 0, "step": 0, "upscale": 0}
        remote.put("/__mock__/pace", json={"step": 0.1})


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("events=two", "events: not a whole number"),
        ("events=-1", "events: not a whole number"),
        ("request=x", "request: not a whole number"),
        ("seconds=long", "seconds: not a number"),
        ("event=2", "event: unknown; send events, seconds, request"),
    ],
)
def test_a_wrong_wait_is_refused(remote: httpx.Client, query: str, words: str) -> None:
    answer = remote.get(f"/__mock__/wait?{query}")
    assert (answer.status_code, words in answer.json()["error"]["message"]) == (400, True)


def test_web_pages_are_refused(remote: httpx.Client) -> None:
    for method, path in (("GET", "wait"), ("PUT", "pace"), ("POST", "release"), ("GET", "breaches")):
        page = remote.request(method, f"/__mock__/{path}", headers={"Origin": "https://example.org"})
        assert page.status_code == 403


def test_a_request_is_waited_for_until_it_can_be_released() -> None:
    journal = RequestLog()
    request = journal.begin("POST", "/generate", "", Headers())
    with pytest.raises(TimeoutError, match="request 1: 0 of 0 events"):
        journal.wait_for_events(0, 0.01)
    request.begin("paced")
    assert journal.wait_for_events(0, 0.01) is request
