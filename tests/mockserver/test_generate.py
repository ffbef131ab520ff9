"""POST /generate over a real port."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from tests.mockserver.live_server import PATIENCE, GatedEngine, events_of, serving, small


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(SyntheticEngine(Pacing(first=0, step=0.001)), max_body=100_000) as client:
        yield client


def envelope(response: httpx.Response, status: int, kind: str) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert error["type"] == kind
    assert error["message"]
    return str(error["message"])


def raw(client: httpx.Client, *pieces: bytes) -> bytes:
    """Sends bytes and reads until the server closes or the answer's head is there."""
    url = urlsplit(str(client.base_url))
    with socket.create_connection((url.hostname, url.port), PATIENCE) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        while b"}}" not in answer and (data := connection.recv(65536)):
            answer += data
        return answer


def test_a_stream_of_events(client: httpx.Client) -> None:
    response = client.post("/generate", json=small(seed=4294967295, show_diffusion_process=True))
    assert response.status_code == 200
    assert response.headers.get_list("content-type") == ["text/event-stream"]
    assert response.headers["cache-control"] == "no-cache"
    *progress, complete = events_of(response.text)
    assert [(event["type"], event["step"], event["total_steps"]) for event in progress] == [
        ("progress", step, 3) for step in (1, 2, 3)
    ]
    assert all(len(base64.b64decode(event["image"], validate=True)) == 16 * 8 * 3 for event in progress)
    assert complete["type"] == "complete"
    assert (complete["seed"], complete["width"], complete["height"], complete["channels"]) == (4294967295, 16, 8, 3)
    pixels = np.frombuffer(base64.b64decode(complete["image"], validate=True), np.uint8).reshape(8, 16, 3)
    assert pixels.std() > 0
    assert 0 <= complete["first_step_time_ms"] <= complete["generation_time_ms"]
    assert complete["generation_time_ms"] <= response.elapsed.total_seconds() * 1000


def test_no_previews_unless_asked_and_fewer_with_a_stride(client: httpx.Client) -> None:
    def shown(**fields: Any) -> list[int]:
        events = events_of(client.post("/generate", json=small(steps=5, **fields)).text)
        return [event["step"] for event in events if event["type"] == "progress" and "image" in event]

    assert shown() == []
    assert shown(show_diffusion_stride=0) == []
    assert shown(show_diffusion_process=True) == [1, 2, 3, 4, 5]
    assert shown(show_diffusion_process=True, show_diffusion_stride=2) == [1, 3, 5]


def test_same_seed_same_bytes_and_a_seed_of_its_own_otherwise(client: httpx.Client) -> None:
    def complete(**fields: Any) -> dict[str, Any]:
        return events_of(client.post("/generate", json=small(**fields)).text)[-1]

    assert complete(seed=1)["image"] == complete(seed=1)["image"] != complete(seed=2)["image"]
    first, second = complete(), complete()
    assert first["seed"] != second["seed"]
    assert complete(seed=first["seed"])["image"] == first["image"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json; charset=utf-8", "application/x-www-form-urlencoded", ""]
)
def test_json_by_any_other_name(client: httpx.Client, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    response = client.post("/generate", content=json.dumps(small()), headers=headers)
    assert events_of(response.text)[-1]["type"] == "complete"


def test_chunked_body(client: httpx.Client) -> None:
    body = json.dumps(small()).encode()
    response = client.post("/generate", content=iter([body[:5], body[5:]]))
    assert events_of(response.text)[-1]["type"] == "complete"


def test_expect_continue(client: httpx.Client) -> None:
    url = urlsplit(str(client.base_url))
    with socket.create_connection((url.hostname, url.port), PATIENCE) as connection:
        body = json.dumps(small()).encode()
        head = f"POST /generate HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_refusals_carry_the_envelope_and_keep_the_connection(client: httpx.Client) -> None:
    streams = set()
    for body in (b"", b"[]", b"\xff", b'{"prompt": 5}', b"[" * 50_000):
        response = client.post("/generate", content=body)
        envelope(response, 400, "request_error")
        streams.add(response.extensions["network_stream"].get_extra_info("client_addr"))
    after = client.post("/generate", json=small())
    streams.add(after.extensions["network_stream"].get_extra_info("client_addr"))
    assert events_of(after.text)[-1]["type"] == "complete"
    assert len(streams) == 1


def test_a_compressed_body_is_refused(client: httpx.Client) -> None:
    response = client.post("/generate", content=b"x", headers={"Content-Encoding": "gzip"})
    assert "Content-Encoding" in envelope(response, 415, "request_error")


def test_a_body_too_long_is_refused_before_it_is_sent(client: httpx.Client) -> None:
    answer = raw(client, b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"type": "request_error"' in answer


def test_an_endless_chunked_body_is_refused_while_it_comes(client: httpx.Client) -> None:
    chunk = b"%x\r\n%s\r\n" % (60_000, b" " * 60_000)
    answer = raw(client, b"POST /generate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, chunk)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_stops_coming_is_refused() -> None:
    with serving(GatedEngine(), body_idle=0.05) as client:
        answer = raw(client, b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert client.get("/health").status_code == 200


def test_a_body_broken_off_leaves_the_server_alive(client: httpx.Client) -> None:
    url = urlsplit(str(client.base_url))
    with socket.create_connection((url.hostname, url.port), PATIENCE) as connection:
        connection.sendall(b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert client.get("/health").status_code == 200


def test_events_are_sent_as_they_happen() -> None:
    engine = GatedEngine()
    with serving(engine) as client:
        engine.allow()
        with client.stream("POST", "/generate", json=small()) as response:
            pieces = response.iter_text()
            assert json.loads(next(pieces).split("data: ")[1])["step"] == 1
            assert engine.steps_taken == 1
            engine.allow()
            assert json.loads(next(pieces).split("data: ")[1])["step"] == 2
            engine.free.set()
            assert "complete" in "".join(pieces)


def test_one_at_a_time_in_order_and_health_meanwhile() -> None:
    engine = GatedEngine()
    with serving(engine, head_within=0) as client, ExitStack() as streams:
        answers = []
        for number in range(4):
            stream = client.stream("POST", "/generate", json=small(f"prompt {number}", seed=number))
            answers.append(streams.enter_context(stream))
            assert answers[-1].status_code == 200
            assert client.get("/health").status_code == 200
            assert envelope(client.post("/generate", json={}), 400, "request_error") == "prompt: missing; send a string"
        engine.wait_for(lambda: bool(engine.began))
        assert engine.began == ["prompt 0"]
        engine.free.set()
        for number, answer in enumerate(answers):
            complete = events_of(answer.read().decode())[-1]
            assert (complete["type"], complete["seed"]) == ("complete", number)
        assert engine.began == [f"prompt {number}" for number in range(4)]
        assert engine.began == engine.ended


def test_upscaling_goes_on_beside_a_generation() -> None:
    engine = GatedEngine()
    with serving(engine, head_within=0) as client, client.stream("POST", "/generate", json=small()) as response:
        engine.wait_for(lambda: engine.began == ["x"])
        engine.may_upscale.set()
        headers = {"X-Image-Width": "2", "X-Image-Height": "1", "X-Upscaler-Path": "default"}
        assert client.post("/upscale", content=bytes(6), headers=headers).status_code == 200
        assert engine.steps_taken == 0
        engine.free.set()
        assert events_of(response.read().decode())[-1]["type"] == "complete"


def test_a_queue_with_an_end() -> None:
    engine = GatedEngine()
    with serving(engine, max_waiting=0, head_within=0) as client:
        with client.stream("POST", "/generate", json=small("first")) as first:
            engine.wait_for(lambda: engine.began == ["first"])
            refused = client.post("/generate", json=small("second"))
            envelope(refused, 503, "server_error")
            assert int(refused.headers["retry-after"]) > 0
            engine.free.set()
            assert "complete" in first.read().decode()
        engine.wait_for(lambda: engine.ended == ["first"])


@pytest.mark.parametrize("steps_before", [0, 1])
def test_hanging_up_frees_the_engine_within_one_step(steps_before: int) -> None:
    engine = GatedEngine()
    with serving(engine, head_within=0) as client:
        engine.allow(steps_before)
        with client.stream("POST", "/generate", json=small("abandoned", steps=1000)) as response:
            if steps_before:
                next(response.iter_raw())
            engine.wait_for(lambda: engine.began == ["abandoned"])
        engine.wait_for(lambda: engine.ended == ["abandoned"])
        assert engine.steps_taken <= steps_before + 1
        engine.free.set()
        assert events_of(client.post("/generate", json=small("next")).text)[-1]["type"] == "complete"


def test_hanging_up_in_the_queue_gives_up_the_place() -> None:
    engine = GatedEngine()
    with serving(engine, head_within=0, max_waiting=1) as client:
        with client.stream("POST", "/generate", json=small("first")) as first:
            engine.wait_for(lambda: engine.began == ["first"])
            with client.stream("POST", "/generate", json=small("impatient")) as second:
                assert second.status_code == 200
            third = waiting(client, "third")
            engine.free.set()
            assert "complete" in first.read().decode()
            assert "complete" in third.read().decode()
            third.close()
        assert engine.began == ["first", "third"]


def test_a_client_that_does_not_read_loses_its_place() -> None:
    engine = GatedEngine()
    engine.free.set()
    with serving(engine, write_idle=0.05) as client:
        asked = small("unread", steps=100, width=1024, height=1024, show_diffusion_process=True)
        with client.stream("POST", "/generate", json=asked) as response:
            assert response.status_code == 200
            engine.wait_for(lambda: engine.ended == ["unread"])
            assert engine.steps_taken < 100
        assert events_of(client.post("/generate", json=small("next")).text)[-1]["type"] == "complete"


def waiting(client: httpx.Client, prompt: str) -> httpx.Response:
    """Asks until there is a place in the queue: the server needs a moment to notice that somebody has left it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        response = client.send(client.build_request("POST", "/generate", json=small(prompt)), stream=True)
        if response.status_code == 200:
            return response
        response.close()
    raise AssertionError("the queue stays full")
