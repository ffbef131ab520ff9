"""The target: what is counted, what runs meanwhile, what earlier scenarios recorded."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from local_dream_conformance.core.budget import Budget, Cost
from local_dream_conformance.core.exchange import UNREAD, End, Exchange, Read, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.running import Running, counter, first_event
from local_dream_conformance.http.target import Target
from tests.conformance.http.wire_scripts import flood
from tests.conformance.scenarios.refusing_server import Asked, RefusingServer, refusing_server
from tests.conformance.scripted_server import serving

HEALTH = Request("GET", "/health")
GENERATE = Request("POST", "/generate", (), b'{"prompt": "a", "width": 8, "height": 8, "steps": 4}')
LONG = Request("POST", "/generate", (), b'{"prompt": "a", "width": 8, "height": 8, "steps": 50}')


NOTHING_RAN: dict[str, Transcript] = {}


def target(state: RefusingServer, **settings: object) -> Target:
    return Target(Settings(url=state.url, **settings), NOTHING_RAN.__getitem__, cost_of=spent_on)  # type: ignore[arg-type]


def test_calls_are_counted() -> None:
    with refusing_server(RefusingServer()) as state:
        settings = Settings(url=state.url, budget=Budget(2, 1))
        made = Target(settings, NOTHING_RAN.__getitem__, cost_of=spent_on)
        made.send("a", HEALTH)
        made.send("b", GENERATE)
        made.send("c", Request("POST", "/generate", (), b"{}"))
        made.send("d", Request("POST", "/upscale", (), b'{"prompt": ""}'))
        assert made.spent == Cost(1, 1)
        assert made.affords(Cost(generations=1))
        assert not made.affords(Cost(generations=2))
        assert not made.affords(Cost(upscales=1))


def answer(path: str, status: int | None, body: bytes = b"", method: str = "POST") -> Exchange:
    request = Request(method, path)
    return Exchange("x", request, 0.0, End.COMPLETE, 1.0, status=status, reads=(Read(0.5, body),))


@pytest.mark.parametrize(
    ("exchange", "cost"),
    [
        (answer("/generate", 200, b"event: progress\ndata: {}\n\nevent: error\ndata: {}\n\n"), Cost(1, 0)),
        (answer("/generate", 200, b"event: error\ndata: {}\n\n"), Cost()),
        (answer("/generate", 200, b"what?"), Cost(1, 0)),
        (answer("/base/generate?x=1", 200, b"event: complete\ndata: {}\n\n"), Cost(1, 0)),
        (answer("/generate", 400), Cost()),
        (answer("/generate", None), Cost()),
        (answer("/generate", 200, method="GET"), Cost()),
        (answer("/upscale", 200), Cost(0, 1)),
        (answer("/upscale", 500), Cost()),
        (answer("/elsewhere", 200), Cost()),
    ],
)
def test_what_an_exchange_costs(exchange: Exchange, cost: Cost) -> None:
    assert spent_on(exchange) == cost


def test_the_first_event_is_found_however_it_is_cut() -> None:
    for text in (b"event: progress\ndata: {}\n\n", b"event: complete\ndata: {}\n\n"):
        look = first_event()
        answers = [look(bytes([byte])) for byte in text]
        assert answers == [False] * (len(text) - 1) + [True]
        assert look(b"")
    assert not first_event()(b"event: error\ndata: {}\n\n: ping\n\n")


def test_a_call_runs_while_others_are_made_and_is_hung_up_on() -> None:
    with refusing_server(RefusingServer()) as state:
        made = target(state)
        running = made.begin("long", LONG)
        assert running.wait_for_event()
        assert made.send("meanwhile", HEALTH).status == 200
        running.hang_up()
        exchange = running.result()
        assert state.hung_up.wait(20)
    assert exchange.end is End.HUNG_UP
    assert b"progress" in exchange.body
    assert made.spent == Cost(generations=1)


def test_a_call_that_is_left_unread_is_hung_up_on_behind() -> None:
    with refusing_server(RefusingServer()) as state:
        made = target(state)
        running = made.begin("long", LONG)
        assert running.wait_for_event()
        running.leave_unread(0.2)
        assert not state.hung_up.is_set()
        running.hang_up()
        exchange = running.result()
        assert state.hung_up.wait(20)
    assert exchange.end is End.HUNG_UP
    assert float(dict(exchange.notes)[UNREAD]) <= exchange.ended_at


def test_one_more_event_is_waited_for_or_the_end() -> None:
    progress = b"event: progress\ndata: {}\n\n"
    assert [counter()(piece) for piece in (progress, progress * 2, b": ping\n\n", b"")] == [1, 2, 0, 0]
    with refusing_server(RefusingServer()) as state:
        running = target(state).begin("long", LONG)
        assert running.wait_for_event()
        running.hang_up()
        running.wait_for_another(60)
        assert running.result().end is End.HUNG_UP
        running.wait_for_another(60)


def test_a_call_that_is_over_at_once_is_not_waited_for() -> None:
    with refusing_server(RefusingServer(refuses=lambda asked: 400)) as state:
        running = target(state).begin("refused", GENERATE)
        assert not running.wait_for_event()
        assert running.result().status == 400


def test_closing_ends_what_still_runs() -> None:
    with refusing_server(RefusingServer()) as state:
        made = target(state)
        begun: list[Running] = []

        def calls(target: Target) -> Iterator[Exchange]:
            begun.append(target.begin("long", LONG))
            assert begun[0].wait_for_event()
            yield target.send("meanwhile", HEALTH)

        assert [exchange.label for exchange in made.carry_out(calls)] == ["meanwhile"]
        assert begun[0].result().end is End.HUNG_UP


def test_a_conversation_is_on_one_connection() -> None:
    with refusing_server(RefusingServer()) as state:
        exchanges = target(state).conversation([("a", Request("POST", "/generate", (), b"{}")), ("b", HEALTH)])
    assert [(e.label, e.status, dict(e.notes)["reused-connection"]) for e in exchanges] == [
        ("a", 400, "false"),
        ("b", 200, "true"),
    ]


def test_clock_and_earlier_transcripts() -> None:
    earlier = {"base": Transcript("base", ())}
    with refusing_server(RefusingServer()) as state:
        made = Target(Settings(url=state.url), earlier.__getitem__, cost_of=spent_on, clock=time.monotonic() - 1000)
        first, second = made.send("a", HEALTH), made.send("b", HEALTH)
    assert 1000 <= first.started <= second.started < 1100
    assert made.transcript("base") is earlier["base"]
    assert made.transcript("overlap") is None


def test_a_flood_is_cut_off_at_what_the_request_can_need() -> None:
    with serving(flood) as url:
        for settings, most in (({}, 55 << 20), ({"size": (64, 64), "steps": 1}, 10 << 20)):
            made = Target(Settings(url=url, **settings), NOTHING_RAN.__getitem__, cost_of=spent_on)  # type: ignore[arg-type]
            exchange = made.send("a", GENERATE)
            assert exchange.end is End.TOO_LARGE
            assert len(exchange.body) < most


@pytest.mark.parametrize("line", [b"data: x\r", b"id: x\n", b": ping\n\n"])
def test_a_stream_of_more_lines_than_are_read_is_cut_off_there(line: bytes) -> None:
    def lines(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while not over.is_set():
            connection.sendall(line * 10_000)

    with serving(lines) as url:
        exchange = Target(Settings(url=url), NOTHING_RAN.__getitem__, cost_of=spent_on).send("a", GENERATE)
    assert exchange.end is End.TOO_LARGE
    assert "100000 lines of a stream" in exchange.detail
    assert len(exchange.body) < 4 << 20


def test_tokens_are_sent_and_not_recorded() -> None:
    with refusing_server(RefusingServer()) as state:
        exchange = target(state, headers=(("Authorization", "Bearer s3cret"),)).send("a", HEALTH)
    assert state.asked[0].headers["authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(exchange)


def test_calls_from_several_threads_are_all_counted() -> None:
    with refusing_server(RefusingServer()) as state:
        made = target(state)
        threads = [threading.Thread(target=made.send, args=(str(n), GENERATE)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert made.spent == Cost(generations=8)


def test_what_the_server_saw_is_what_was_recorded() -> None:
    with refusing_server(RefusingServer()) as state:
        exchange = target(state).send("a", GENERATE)
    asked: Asked = state.asked[0]
    assert asked.body == exchange.request.body == GENERATE.body
    assert asked.headers["content-length"] == exchange.request.header("content-length")
