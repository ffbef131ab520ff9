"""Clients that read slowly, or not at all, or hang up while they lag: the engine is free again for others."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.engine import Cancelled, Rgb
from local_dream_mockserver.server.worker import Worker
from tests.mockserver.live_server import PATIENCE, GatedEngine, dialled, events_of, eventually, serving, small

LARGE = small("lags", steps=1000, width=1024, height=1024, show_diffusion_process=True)
UPSCALE = {"X-Image-Width": "2", "X-Image-Height": "1", "X-Upscaler-Path": "default"}


def stands_still(engine: GatedEngine) -> None:
    """Waits until the engine waits for its reader."""

    def still() -> bool:
        before = engine.steps_taken
        time.sleep(0.3)
        return 0 < before == engine.steps_taken

    eventually(still)


def test_hanging_up_while_lagging_frees_the_engine() -> None:
    engine = GatedEngine()
    engine.free.set()
    with serving(engine) as client:
        with client.stream("POST", "/generate", json=LARGE) as response:
            assert response.status_code == 200
            stands_still(engine)
        engine.wait_for(lambda: engine.ended == ["lags"])
        assert engine.steps_taken < 1000
        assert events_of(client.post("/generate", json=small("next")).text)[-1]["type"] == "complete"


def test_a_slow_reader_holds_up_others_within_a_bound() -> None:
    engine = GatedEngine()
    engine.free.set()
    with serving(engine, lag_while_wanted=0.2) as client, client.stream("POST", "/generate", json=LARGE) as slow:
        stands_still(engine)
        assert events_of(client.post("/generate", json=small("next")).text)[-1]["type"] == "complete"
        assert engine.ended == ["lags", "next"]
        assert engine.steps_taken < 1000
        last = events_of(slow.read().decode())[-1]
        assert last == {"type": "error", "message": "the answer was read too slowly while other requests waited"}


def test_a_slow_reader_whom_nobody_waits_for_may_be_slow() -> None:
    engine = GatedEngine()
    engine.free.set()
    with serving(engine, lag_while_wanted=0.1) as client:
        asked = LARGE | {"steps": 20}
        with client.stream("POST", "/generate", json=asked) as slow:
            stands_still(engine)
            assert events_of(slow.read().decode())[-1]["type"] == "complete"


@dataclass
class Offended(GatedEngine):
    """Its upscale fails once nobody wants the result."""

    def upscale(self, rgb: Rgb, upscaler: str, use_opencl: bool, cancelled: Cancelled) -> Rgb:
        self._note(self.began, "upscale")
        while not cancelled() and not self.may_upscale.wait(0.01):
            pass
        self._note(self.ended, "upscale")
        if cancelled():
            raise ZeroDivisionError
        return rgb.repeat(4, axis=0).repeat(4, axis=1)


def test_an_abandoned_upscale_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    engine = Offended()
    with serving(engine) as client:
        with dialled(client) as connection:
            head = "".join(f"{name}: {value}\r\n" for name, value in UPSCALE.items())
            connection.sendall(
                f"POST /upscale HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n{head}\r\n".encode() + bytes(6)
            )
            engine.wait_for(lambda: engine.began == ["upscale"])
        engine.wait_for(lambda: engine.ended == ["upscale"])
        engine.may_upscale.set()
        assert client.post("/upscale", content=bytes(6), headers=UPSCALE).status_code == 200
    assert "ZeroDivisionError" not in caplog.text


@pytest.mark.parametrize("path", ["/generate", "/upscale", "/tokenize", "/sdapi/v1/txt2img"])
def test_hanging_up_within_the_body_is_no_error(caplog: pytest.LogCaptureFixture, path: str) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in UPSCALE.items())
    with serving(SyntheticEngine(), a1111=True) as client:
        for announced in (6, 5):  # the second one is answered, if only with a refusal: the first one is over by then
            with dialled(client) as connection:
                connection.sendall(
                    f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\n{head}\r\n12345".encode()
                )
                if announced == 5:
                    assert connection.recv(100).startswith(b"HTTP/1.1 4")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_clients_take_turns() -> None:
    engine = GatedEngine()
    with ExitStack() as streams, serving(engine, head_within=0, max_waiting=8) as client:

        def asked(who: httpx.Client, prompt: str) -> httpx.Response:
            return streams.enter_context(who.stream("POST", "/generate", json=small(prompt)))

        transport = httpx.HTTPTransport(local_address="127.0.0.2")
        other = streams.enter_context(httpx.Client(base_url=client.base_url, transport=transport, timeout=PATIENCE))
        answers = [asked(client, f"many {number}") for number in range(9)]
        assert asked(client, "one too many").status_code == 503
        answers.append(asked(other, "single"))
        assert asked(other, "second").status_code == 503
        engine.free.set()
        for answer in answers:
            assert "event: complete" in answer.read().decode()
        streams.close()
    assert engine.began.index("single") <= 2


def test_turns_leave_nothing_behind() -> None:
    worker = Worker("test", 10)
    gate = threading.Event()
    running = worker.submit(lambda cancelled: gate.wait(PATIENCE))
    for _ in range(100):
        worker.submit(lambda cancelled: True).abandon()
    worker.expect_room()
    eventually(lambda: not worker.wanted)
    gate.set()
    assert running.future.result(PATIENCE)
    worker.close()
