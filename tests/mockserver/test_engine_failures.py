"""Engines that fail: before the stream, in it, without a picture, with a wrong one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.engine import EngineError, RequestRefused
from tests.mockserver.live_server import PATIENCE, GatedEngine, events_of, serving, small
from tests.mockserver.test_generate import envelope


def fails_at(step: int, error: Exception) -> GatedEngine:
    def before(now: int) -> None:
        if now == step:
            raise error

    engine = GatedEngine(before=before)
    engine.free.set()
    return engine


@pytest.mark.parametrize(
    ("error", "status", "kind", "message"),
    [
        (EngineError("out of memory"), 500, "server_error", "out of memory"),
        (RequestRefused("width: too large for this model; send 512"), 400, "request_error", "width: too large for"),
        (ValueError("secret of the engine"), 500, "server_error", "the engine failed (ValueError)"),
        (MemoryError(), 500, "server_error", "the engine failed (MemoryError)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_engine_that_fails_at_once(error: Exception, status: int, kind: str, message: str) -> None:
    engine = fails_at(1, error)
    with serving(engine, head_within=PATIENCE) as client:
        assert envelope(client.post("/generate", json=small()), status, kind).startswith(message)
        engine.before = lambda step: None
        assert events_of(client.post("/generate", json=small()).text)[-1]["type"] == "complete"


@pytest.mark.parametrize(("step", "head_within"), [(1, 0.0), (2, PATIENCE)])
def test_an_engine_that_fails_in_the_stream(step: int, head_within: float) -> None:
    engine = fails_at(step, EngineError("out of memory")) if step == 2 else GatedEngine(before=_out_of_memory)
    with serving(engine, head_within=head_within) as client:
        with client.stream("POST", "/generate", json=small()) as response:
            assert response.status_code == 200
            engine.free.set()
            *progress, last = events_of(response.read().decode())
        assert [event["step"] for event in progress] == list(range(1, step))
        assert last == {"type": "error", "message": "out of memory"}
        engine.before = lambda step: None
        assert events_of(client.post("/generate", json=small()).text)[-1]["type"] == "complete"


def _out_of_memory(step: int) -> None:
    raise EngineError("out of memory")


def test_an_engine_that_ends_without_a_picture() -> None:
    class Lazy(SyntheticEngine):
        def generate(self, request: Any, cancelled: Any) -> Iterator[Any]:
            return iter(())

    with serving(Lazy(), head_within=PATIENCE) as client:
        assert "without a picture" in envelope(client.post("/generate", json=small()), 500, "server_error")


def test_an_engine_whose_picture_has_the_wrong_size() -> None:
    class Careless(SyntheticEngine):
        def generate(self, request: Any, cancelled: Any) -> Iterator[Any]:
            for made in super().generate(request, cancelled):
                yield (
                    type("Turned", (), {"rgb": made.rgb.swapaxes(0, 1), "first_step_seconds": 0.0})()
                    if hasattr(made, "rgb")
                    else made
                )

    with serving(Careless(Pacing(first=0, step=0))) as client:
        last = events_of(client.post("/generate", json=small()).text)[-1]
        assert last["type"] == "error"
        assert "(16, 8, 3)" in last["message"]
