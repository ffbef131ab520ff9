"""Extension busy, by option: a second generation is refused rather than queued."""

from __future__ import annotations

from tests.mockserver.live_server import GatedEngine, events_of, serving, small


def test_a_second_generation_is_refused_and_the_first_goes_on() -> None:
    engine = GatedEngine()
    with serving(engine, busy=True) as client:
        with client.stream("POST", "/generate", json=small("first")) as first:
            refused = client.post("/generate", json=small("second"))
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            assert refused.json()["error"]["type"] == "server_error"
            engine.free.set()
            assert events_of(first.read().decode())[-1]["type"] == "complete"
        assert client.post("/generate", json=small("third")).status_code == 200
    assert engine.began == ["first", "third"]


def test_who_has_hung_up_keeps_nobody_waiting() -> None:
    engine = GatedEngine()
    with serving(engine, busy=True) as client:
        with client.stream("POST", "/generate", json=small("first")):
            engine.wait_for(lambda: engine.began == ["first"])
        engine.wait_for(lambda: engine.ended == ["first"])
        engine.free.set()
        assert client.post("/generate", json=small("second")).status_code == 200
