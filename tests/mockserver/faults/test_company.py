"""Faults and quirks that show only when a second client comes, or the first one goes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.catalogue import entries
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.mock.synthetic import SyntheticEngine
from tests.mockserver.faults.requests import IMAGE
from tests.mockserver.live_server import PATIENCE, GatedEngine, events_of, running, small


@contextmanager
def company(name: str) -> Iterator[tuple[httpx.Client, GatedEngine, FaultHooks]]:
    """A server with one fault or quirk whose engine takes steps only when the test lets it."""
    entry = entries()[name]
    alteration = entry.make(entry.place)
    assert isinstance(alteration, FaultHooks)
    engine = GatedEngine()
    with (
        running(create_faulty_app(engine, None, lambda scope: alteration)) as url,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        yield client, engine, alteration


@contextmanager
def first_running(client: httpx.Client, engine: GatedEngine) -> Iterator[Iterator[str]]:
    """The first client has seen a step of its generation; gives the lines that follow."""
    engine.allow()
    with client.stream("POST", "/generate", json=small("first", steps=4)) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: progress"
        yield lines


def wait_until_latest(alteration: FaultHooks, prompt: str) -> None:
    """Waits until this request is the one that was read last."""
    until = time.monotonic() + PATIENCE
    while getattr(alteration.remembered, "prompt", None) != prompt:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("busy-409", 409),
        ("busy-429", 429),
        ("busy-503", 503),
        ("busy-as-text", 503),
        ("busy-bare", 503),
        ("busy-retry-in-fractions", 503),
        ("busy-retry-soon", 503),
        ("busy-until-a-date", 503),
        ("busy-without-retry-after", 503),
        ("overlap-refused-bare", 503),
        ("overlap-refused-with-500", 500),
        ("overlap-told-in-a-stream", 200),
    ],
)
def test_the_second_is_refused(name: str, status: int) -> None:
    with company(name) as (client, engine, alteration):
        with first_running(client, engine) as rest:
            assert client.post("/generate", json=small("second")).status_code == status
            engine.free.set()
            assert "event: complete" in list(rest)
        assert alteration.applied == 1
        assert client.post("/generate", json=small("third")).status_code == 200


def test_the_second_waits() -> None:
    with (
        company("busy-waits") as (client, engine, alteration),
        first_running(client, engine) as rest,
        client.stream("POST", "/generate", json=small("second")) as second,
    ):
        engine.free.set()
        assert "event: complete" in list(rest)
        assert "event: complete" in list(second.iter_lines())
        assert alteration.applied == 1


def test_the_first_is_stopped() -> None:
    with company("overlap-stops-the-first") as (client, engine, alteration):
        with first_running(client, engine) as rest:
            asked = threading.Thread(target=lambda: client.post("/generate", json=small("second")))
            asked.start()
            wait_until_latest(alteration, "second")
            engine.free.set()
            assert "event: error" in list(rest)
            asked.join(PATIENCE)
        assert alteration.applied == 1


def test_a_refusal_ends_the_first() -> None:
    with company("refusal-ends-the-generation") as (client, engine, alteration):
        with first_running(client, engine) as rest:
            assert client.post("/generate", json={"steps": 4}).status_code == 400
            engine.free.set()
            assert "event: complete" not in list(rest)
        assert alteration.applied == 1


def test_pictures_are_mixed() -> None:
    with company("overlap-mixes-pictures") as (client, engine, alteration):
        answers: list[httpx.Response] = []
        with first_running(client, engine) as rest:
            body = small("second", width=24, height=8)
            asked = threading.Thread(target=lambda: answers.append(client.post("/generate", json=body)))
            asked.start()
            wait_until_latest(alteration, "second")
            engine.free.set()
            data = [line for line in rest if line.startswith("data: ")][-1]
            asked.join(PATIENCE)
        assert alteration.applied == 1
        assert events_of(answers[0].text)[-1]["image"] in data


def test_the_total_of_steps_is_that_of_the_latest() -> None:
    with company("total-steps-of-the-latest") as (client, engine, alteration):
        with first_running(client, engine) as rest:
            asked = threading.Thread(target=lambda: client.post("/generate", json=small("second", steps=6)))
            asked.start()
            wait_until_latest(alteration, "second")
            engine.free.set()
            said = [line for line in rest if '"total_steps":' in line]
            asked.join(PATIENCE)
        assert len(said) > 1
        assert all('"total_steps":6' in line for line in said[1:]), said


def test_the_third_is_never_served() -> None:
    with company("third-never-served") as (client, engine, alteration):
        with first_running(client, engine) as rest:
            answers: list[httpx.Response] = []
            asked = threading.Thread(target=lambda: answers.append(client.post("/generate", json=small("second"))))
            asked.start()
            while alteration.remembered < 2:
                engine.wait_for(lambda: True)
            with pytest.raises(httpx.ReadTimeout):
                client.post("/generate", json=small("third"), timeout=0.3)
            engine.free.set()
            assert "event: complete" in list(rest)
            asked.join(PATIENCE)
        assert "event: complete" in answers[0].text
        assert alteration.applied == 1


def test_a_client_that_waits_and_hangs_up_stops_the_queue() -> None:
    with company("waiting-client-stops-the-queue") as (client, engine, alteration):
        with first_running(client, engine) as rest:
            with pytest.raises(httpx.ReadTimeout):
                client.post("/generate", json=small("second"), timeout=0.3)
            while not alteration.remembered:
                engine.wait_for(lambda: True)
            engine.free.set()
            assert "event: complete" in list(rest)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/generate", json=small("third"), timeout=0.3)
        assert alteration.applied == 1


@pytest.mark.parametrize("name", ["health-busy", "health-waits"])
def test_health_meanwhile(name: str) -> None:
    with company(name) as (client, engine, alteration):
        answers: list[int] = []
        with first_running(client, engine) as rest:
            asked = threading.Thread(target=lambda: answers.append(client.get("/health").status_code))
            asked.start()
            while not alteration.applied:
                engine.wait_for(lambda: True)
            engine.free.set()
            assert "event: complete" in list(rest)
            asked.join(PATIENCE)
        assert answers == ([503] if name == "health-busy" else [200])
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize("name", ["hang-up-breaks-the-engine", "hang-up-reaches-the-next", "hang-up-wedges"])
def test_after_a_hang_up(name: str) -> None:
    with company(name) as (client, engine, alteration):
        engine.allow()
        with client.stream("POST", "/generate", json=small("first", steps=4)) as answer:
            next(answer.iter_lines())
        engine.wait_for(lambda: "first" in engine.ended)
        engine.free.set()
        while not alteration.remembered:
            engine.wait_for(lambda: True)
        once = name == "hang-up-reaches-the-next"
        assert client.post("/generate", json=small("text alone")).status_code == (500 if once else 200)
        body = small("second", image=IMAGE)
        if name == "hang-up-wedges":
            with pytest.raises(httpx.ReadTimeout):
                client.post("/generate", json=body, timeout=0.3)
        else:
            assert client.post("/generate", json=body).status_code == (200 if once else 500)
        assert alteration.applied == 1


def test_after_a_hang_up_of_a_client_that_had_kept_up() -> None:
    with company("hang-up-while-behind-wedges") as (client, engine, alteration):
        engine.allow()
        with client.stream("POST", "/generate", json=small("first", steps=4)) as answer:
            next(answer.iter_lines())
        engine.wait_for(lambda: "first" in engine.ended)
        engine.free.set()
        assert client.post("/generate", json=small("second", image=IMAGE)).status_code == 200
        assert not alteration.remembered


def test_after_a_hang_up_of_a_client_that_was_behind() -> None:
    alteration = entries()["hang-up-while-behind-wedges"].make(None)
    assert isinstance(alteration, FaultHooks)
    large = {"prompt": "first", "width": 512, "height": 512, "steps": 20, "show_diffusion_process": True}
    with (
        running(create_faulty_app(SyntheticEngine(), None, lambda scope: alteration)) as url,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        until, unread = time.monotonic() + PATIENCE, 0.5
        while not alteration.remembered and time.monotonic() < until:  # pictures are made as fast as the machine can
            with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0)) as line:
                line.sendall(post(json.dumps(large).encode()))
                time.sleep(unread)
            time.sleep(0.1)
            unread *= 2
        assert client.post("/generate", json=small("text alone")).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            client.post("/generate", json=small("second", image=IMAGE), timeout=0.3)
        assert alteration.applied == 1


def post(body: bytes) -> bytes:
    """The bytes of a request to /generate."""
    head = (
        f"POST /generate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def test_a_hang_up_is_not_noticed() -> None:
    with company("hang-up-unnoticed") as (client, engine, alteration):
        engine.allow()
        with client.stream("POST", "/generate", json=small("first", steps=40)) as answer:
            next(answer.iter_lines())
        engine.free.set()
        assert client.post("/generate", json=small("second")).status_code == 200
        assert engine.steps_taken == 40 + 3
        assert alteration.applied == 1


def test_garbage_gets_200() -> None:
    alteration = entries()["garbage-gets-200"].make(None)
    assert isinstance(alteration, FaultHooks)
    app = create_faulty_app(GatedEngine(), None, lambda scope: alteration)
    with (
        running(app, alteration.http) as url,
        socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0)) as line,
    ):
        line.sendall(b"\x00\x01 hello\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 200 ")
    assert alteration.applied == 1


def test_a_chunk_that_ends_within_a_character_is_lost() -> None:
    alteration = entries()["torn-chunks-unread"].make(None)
    assert isinstance(alteration, FaultHooks)
    body = json.dumps(small("caf\u00e9"), ensure_ascii=False).encode()
    within = body.index(b"\xc3") + 1
    statuses = []
    with (
        running(create_faulty_app(SyntheticEngine(), None, lambda scope: alteration), alteration.http) as url,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        for cut in (within, within + 1):
            chunks = (part for part in (body[:cut], body[cut:]))
            statuses.append(client.post("/generate", content=chunks).status_code)
    assert statuses == [400, 200]
    assert alteration.applied >= 1
