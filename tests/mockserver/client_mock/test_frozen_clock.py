"""A test that freezes the clock of its process can use the mock, which runs there."""

from __future__ import annotations

import subprocess
import sys
import time

import httpx
import pytest
from freezegun import freeze_time

from local_dream_mockserver.mock.mock import Mock, running_mock
from local_dream_mockserver.server import clock
from tests.mockserver.live_server import PATIENCE, events_of, small

THEN = "2020-02-29 12:00:00"
LAZY = ["diffusers", "transformers", "torch", "openvino"]
"""Modules of other tests in this process: freezegun looks at every name of a module, and theirs import libraries."""
STEP = 0.03
PIXEL = {"X-Image-Width": "1", "X-Image-Height": "1", "X-Upscaler-Path": "any"}


@pytest.fixture(params=["uvloop", "asyncio"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The event loop that the mock runs in: uvloop, or that of Python, as where there is no uvloop."""
    if request.param == "asyncio":
        monkeypatch.setitem(sys.modules, "uvloop", None)
    return str(request.param)


def play(mock: Mock) -> None:
    """What needs a clock: a pace, a fault that waits, a client that gives up."""
    mock.pace(first=STEP, step=STEP, upscale=STEP)
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        complete = events_of(client.post("/generate", json=small(steps=2)).text)[-1]
        assert complete["generation_time_ms"] >= 3 * STEP * 1000
        assert client.post("/upscale", content=b"abc", headers=PIXEL).status_code == 200
        mock.script([mock.faulty("last-step-for-ever")])
        with client.stream("POST", "/generate", json=small()) as answer:
            lines = (line for line in answer.iter_lines() if line.startswith("event: progress"))
            assert [next(lines) for _ in range(5)]  # two of them after a rest of the server's loop
        mock.pace(step=3600)
        with client.stream("POST", "/generate", json=small()):
            pass
        assert mock.requests[-1].wait().hung_up
    mock.settle()


def test_frozen_while_the_mock_runs(loop: str) -> None:
    with running_mock() as mock, freeze_time(THEN, ignore=LAZY):
        play(mock)
        assert time.time() == time.time() == 1582977600


@pytest.mark.parametrize("tick", [False, True])
def test_frozen_before_the_mock_starts(loop: str, tick: bool) -> None:
    with freeze_time(THEN, tick=tick, ignore=LAZY), running_mock() as mock:
        play(mock)


def test_the_clock_goes_on_where_it_is_imported_under_a_frozen_one() -> None:
    code = """
import freezegun, time
with freezegun.freeze_time("2020-02-29"):
    from local_dream_mockserver.server import clock
    began = clock.monotonic()
    time.sleep(0.01)
    assert clock.monotonic() - began >= 0.01
    assert time.monotonic() == time.monotonic()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)


def test_the_clock_is_that_of_python() -> None:
    assert abs(clock.monotonic() - time.monotonic()) < PATIENCE
