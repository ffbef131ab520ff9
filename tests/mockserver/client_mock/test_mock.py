"""The mock as tests in Python use it: orders, script, journal, over real ports."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from local_dream_mockserver.mock.answers import Answer, BadAnswer
from local_dream_mockserver.mock.mock import Mock, running_mock
from local_dream_mockserver.proxy.unknown import Unknown
from tests.mockserver.live_server import PATIENCE, events_of, small

pytest_plugins = ("pytester",)
RAW = {
    "content-type": "application/octet-stream",
    "x-image-width": "2",
    "x-image-height": "1",
    "x-upscaler-path": "/data/upscaler.bin",
}


@pytest.fixture
def client(local_dream_mock: Mock) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=local_dream_mock.url, timeout=PATIENCE) as client:
        yield client


def painted(client: httpx.Client, **fields: Any) -> list[dict[str, Any]]:
    answer = client.post("/generate", json=small(**fields))
    assert answer.status_code == 200
    return events_of(answer.text)


def test_what_was_sent_is_kept(local_dream_mock: Mock, client: httpx.Client) -> None:
    client.get("/health?x=1", headers={"X-Two": "a"})
    client.post("/generate", json=small(steps=2), headers=[("X-Two", "a"), ("X-Two", "b")])
    client.post("/upscale", content=b"123456", headers=RAW)
    health, generate, upscale = local_dream_mock.requests
    assert (health.number, health.method, health.path, health.query) == (1, "GET", "/health", "x=1")
    assert generate.headers.getlist("x-two") == ["a", "b"]
    assert generate.json == small(steps=2)
    assert (upscale.body, upscale.headers["X-Image-Width"]) == (b"123456", "2")
    assert [one.status for one in local_dream_mock.requests] == [200, 200, 200]
    assert all(one.over and one.complete and one.hung_up is None for one in local_dream_mock.requests)
    assert (generate.events_sent, generate.answer) == (3, "honest")
    assert local_dream_mock.breaches == []
    assert health.at <= generate.at <= upscale.at


def test_bodies_are_kept_whatever_they_are_answered_with(local_dream_mock: Mock, client: httpx.Client) -> None:
    local_dream_mock.script([local_dream_mock.busy()])
    client.post("/generate", json=small("never read"))
    client.post("/upscale", content=b"123456")
    busy, refused = local_dream_mock.requests
    assert busy.json["prompt"] == "never read"
    assert (refused.body, refused.status) == (b"123456", 400)
    assert refused.requirements == [None, "UPS-REQ-01", "UPS-REQ-02", "UPS-REQ-03"]
    assert len(local_dream_mock.breaches) == 4
    assert local_dream_mock.breaches == [*busy.breaches, *refused.breaches]
    assert str(local_dream_mock.breaches[1]).startswith("request 2: UPS-REQ-01: X-Image-Width: missing")


def test_a_script_answers_one_request_after_the_other(local_dream_mock: Mock, client: httpx.Client) -> None:
    mock = local_dream_mock
    mock.script(
        [
            mock.busy(retry_after=7),
            mock.refusal("steps: too many", status=422),
            mock.server_error("out of memory"),
            mock.error_event("the engine died", after=2),
            mock.faulty("terminal-missing", "comments"),
            mock.ok(),
        ]
    )
    client.get("/health")
    busy, refusal, failure = (client.post("/generate", json=small()) for _ in range(3))
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "7")
    assert refusal.status_code == 422
    assert refusal.json() == {"error": {"message": "steps: too many", "type": "request_error"}}
    assert failure.status_code == 500
    assert failure.json() == {"error": {"message": "out of memory", "type": "server_error"}}
    assert [event["type"] for event in painted(client)] == ["progress", "progress", "error"]
    assert mock.script_left == ["faulty terminal-missing, comments", "ok"]
    faulty = client.post("/generate", json=small()).text
    assert "event: complete" not in faulty
    assert "\n:" in f"\n{faulty}"
    assert [painted(client)[-1]["type"] for _ in range(2)] == ["complete", "complete"]
    assert mock.script_left == []
    assert [request.answer for request in mock.requests[1:]] == [
        "busy",
        "refusal",
        "server_error",
        "error_event",
        "faulty terminal-missing, comments",
        "ok",
        "honest",
    ]


def test_a_script_in_the_forms_of_json(local_dream_mock: Mock, client: httpx.Client) -> None:
    local_dream_mock.script(["busy", {"refusal": "no"}, local_dream_mock.ok(), {"faulty": ["terminal-missing"]}])
    assert [client.post("/generate", json=small()).status_code for _ in range(4)] == [503, 400, 200, 200]
    assert [request.answer for request in local_dream_mock.requests] == [
        "busy",
        "refusal",
        "ok",
        "faulty terminal-missing",
    ]
    with pytest.raises(BadAnswer, match="there are ok, busy"):
        local_dream_mock.script(["bussy"])
    with pytest.raises(BadAnswer, match="a JSON list"):
        local_dream_mock.script("busy")


def test_a_script_for_upscales(local_dream_mock: Mock, client: httpx.Client) -> None:
    mock = local_dream_mock
    mock.script([mock.error_event("no memory"), mock.faulty("upscale-three-times"), mock.ok()])
    failed, three, four = (client.post("/upscale", content=b"123456", headers=RAW) for _ in range(3))
    assert (failed.status_code, failed.json()["error"]["message"]) == (500, "no memory")
    assert [answer.headers["x-output-width"] for answer in (three, four)] == ["6", "8"]


def test_a_scripted_answer_takes_the_place_of_faults_but_not_of_quirks(
    local_dream_mock: Mock, client: httpx.Client
) -> None:
    mock = local_dream_mock
    mock.fault("terminal-missing")
    mock.quirk("total-steps-plus-two")
    mock.script([mock.ok()])
    honest, faulty = painted(client), painted(client)
    assert (honest[-1]["type"], faulty[-1]["type"]) == ("complete", "progress")
    assert {event["total_steps"] for event in (honest[0], faulty[0])} == {5}
    assert [request.answer for request in mock.requests] == [
        "total-steps-plus-two, ok",
        "total-steps-plus-two, terminal-missing",
    ]


def test_faults_of_the_wire_alone_scripted_and_by_header(local_dream_mock: Mock, client: httpx.Client) -> None:
    mock = local_dream_mock
    mock.script([mock.faulty("reset@bytes:30"), mock.ok()])
    with pytest.raises(httpx.TransportError):
        client.post("/generate", json=small())
    assert painted(client)[-1]["type"] == "complete"
    with pytest.raises(httpx.TransportError):
        client.post("/generate", json=small(), headers={"X-Mock-Fault": "cut-off@after:progress:1"})
    mock.fault("crlf")
    answer = client.post("/generate", json=small())
    assert "x-mock-wire" not in answer.headers
    assert b"\r\n\r\n" in answer.content
    assert client.get("/health").status_code == 200
    mock.settle()
    assert [request.hung_up for request in mock.requests] == [None] * 5


def test_an_unknown_name_is_told_at_once(local_dream_mock: Mock, client: httpx.Client) -> None:
    mock = local_dream_mock
    with pytest.raises(Unknown, match="did you mean terminal-missing"):
        mock.fault("terminal-mising")
    with pytest.raises(Unknown, match="it is a quirk"):
        mock.fault("comments")
    with pytest.raises(Unknown, match="no such fault"):
        mock.script([mock.faulty("nothing")])
    assert (mock.script_left, painted(client)[-1]["type"]) == ([], "complete")


def bad_answers() -> list[Callable[[], Answer]]:
    return [
        lambda: Mock.busy(-1),
        lambda: Mock.refusal(""),
        lambda: Mock.refusal("x", status=500),
        lambda: Mock.server_error("x", status=400),
        lambda: Mock.error_event("x", after=-1),
        lambda: Mock.faulty(),
        lambda: Mock.paced(hold=-1),
        lambda: Mock.paced(step=-1),
    ]


@pytest.mark.parametrize("make", bad_answers())
def test_answers_that_cannot_be_are_refused(make: Callable[[], Answer]) -> None:
    with pytest.raises(BadAnswer):
        make()


def test_a_fault_of_how_connections_are_read(local_dream_mock: Mock, client: httpx.Client) -> None:
    client.get("/health")
    local_dream_mock.fault("garbage-gets-200")
    host, port = local_dream_mock.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(b"garbage\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    with pytest.raises(Unknown, match="order it for all requests"):
        local_dream_mock.script([Mock.faulty("garbage-gets-200")])


def test_a_hang_up_in_mid_stream_is_seen(local_dream_mock: Mock, client: httpx.Client) -> None:
    local_dream_mock.pace(step=3600)
    with client.stream("POST", "/generate", json=small()):
        assert local_dream_mock.requests[0].hung_up is None
        with pytest.raises(TimeoutError, match="still being answered"):
            local_dream_mock.settle(0)
    hang_up = local_dream_mock.requests[0].wait(PATIENCE).hung_up
    assert hang_up is not None
    assert (hang_up.events_sent, hang_up.bytes_sent) == (0, 0)
    assert hang_up.seconds > 0


def test_a_hang_up_while_the_wire_stalls_is_seen(local_dream_mock: Mock, client: httpx.Client) -> None:
    local_dream_mock.fault("stall@after:progress:1")
    with client.stream("POST", "/generate", json=small()) as answer:
        pieces = answer.iter_raw()  # which closes the connection once it is dropped
        assert next(pieces).startswith(b"event: progress")
        assert not local_dream_mock.requests[0].over
    assert local_dream_mock.requests[0].wait(PATIENCE).hung_up is not None


def test_a_hang_up_within_the_body_is_seen(local_dream_mock: Mock) -> None:
    host, port = local_dream_mock.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(b'POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"prompt"')
        with httpx.Client(base_url=local_dream_mock.url) as other:
            while not local_dream_mock.requests[:1] or local_dream_mock.requests[0].path != "/generate":
                other.get("/health")
                assert len(local_dream_mock.requests) < 1000
    request = local_dream_mock.requests[0].wait(PATIENCE)
    assert (request.complete, request.breaches, request.hung_up is not None) == (False, (), True)


def test_seeds_are_picked_alike_in_each_test() -> None:
    seeds = []
    for _ in range(2):
        with running_mock() as mock, httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
            seeds.append([painted(client)[-1]["seed"] for _ in range(2)])
    assert seeds[0] == seeds[1]
    assert seeds[0][0] != seeds[0][1]


def test_reset_forgets_everything(local_dream_mock: Mock, client: httpx.Client) -> None:
    mock = local_dream_mock
    mock.fault("terminal-missing")
    mock.quirk("comments")
    mock.script([mock.busy()])
    client.get("/health")
    mock.reset()
    assert (mock.requests, mock.script_left) == ([], [])
    answer = client.post("/generate", json=small()).text
    assert events_of(answer)[-1]["type"] == "complete"
    assert [request.number for request in mock.requests] == [1]


def test_pictures_are_taken_and_judged(local_dream_mock: Mock, client: httpx.Client) -> None:
    image = "data:image/png;base64," + base64.b64encode(b"no picture").decode()
    assert client.post("/generate", json=small(image=image)).status_code == 400
    assert local_dream_mock.requests[0].requirements == ["GEN-REQ-19", "GEN-REQ-13"]


FIRST = """
import httpx

def test_one(local_dream_mock):
    local_dream_mock.fault("terminal-missing")
    local_dream_mock.script([local_dream_mock.busy()] * 2)
    assert httpx.post(local_dream_mock.url + "/generate", json={"prompt": "x", "steps": 1}).status_code == 503

def test_two(local_dream_mock):
    assert local_dream_mock.requests == []
    answer = httpx.post(local_dream_mock.url + "/generate", json={"prompt": "x", "steps": 1, "width": 8, "height": 8})
    assert answer.status_code == 200 and "event: complete" in answer.text
"""


def test_the_installed_fixture_gives_each_test_its_own_server(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FIRST)
    done = pytester.runpytest_subprocess("-W", "error", "-p", "no:randomly")
    done.assert_outcomes(passed=2)


def test_the_plugin_is_light() -> None:
    code = "import local_dream_mockserver.mock.pytest_plugin, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not {"starlette", "uvicorn", "numpy", "PIL", "httpx", "jsonschema"} & set(json.loads(done.stdout))
