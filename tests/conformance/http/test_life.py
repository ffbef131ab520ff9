"""Whether the target lives, at sockets that come and go."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.http.life import (
    BACK,
    BESIDE,
    DIED,
    EARLIER,
    MOST_DEATHS,
    NOT_BACK,
    RELAUNCHED,
    Life,
)
from tests.ports import free_port

REFUSED = Exchange("a", Request("POST", "/generate"), 1.0, End.COMPLETE, 0.1, status=400)
FINE = Exchange("b", Request("GET", "/health"), 2.0, End.COMPLETE, 0.1, status=200)
TORN = Exchange("c", Request("POST", "/generate"), 3.0, End.TRUNCATED, 0.1)
UNREACHABLE = Exchange("d", Request("POST", "/generate"), 4.0, End.UNREACHABLE, 0.1)


@contextlib.contextmanager
def listener(port: int = 0) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", port), reuse_port=False) as made:
        yield made


def life(port: int, **more: object) -> Life:
    options = {"patience": 0.3, **more}
    return Life(Address(f"http://127.0.0.1:{port}"), lambda: 5.0, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("exchange", [REFUSED, FINE, TORN], ids=["refused", "fine", "torn"])
def test_a_target_that_accepts_connections_lives(exchange: Exchange) -> None:
    with listener() as made:
        watched = life(made.getsockname()[1])
        assert watched.after(exchange, always=True) == exchange
        assert not watched.is_gone


def test_a_forwarded_port_with_nothing_behind_it_is_a_target_that_is_free_port() -> None:
    with listener() as made:
        threading.Thread(target=_close_each, args=(made,), daemon=True).start()
        after = life(made.getsockname()[1]).after(TORN)
    assert dict(after.notes)[NOT_BACK] == "refused connections from then on"


def _close_each(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            listening.accept()[0].close()


def test_an_answer_that_is_fine_gives_no_reason_to_look() -> None:
    watched = life(free_port())
    assert watched.after(FINE) == FINE
    assert not watched.is_gone
    assert DIED in dict(watched.after(FINE, always=True).notes)
    assert watched.is_gone


@pytest.mark.parametrize(("exchange", "earlier"), [(REFUSED, False), (TORN, False), (UNREACHABLE, True)])
def test_a_target_that_is_gone_is_noted_once(exchange: Exchange, earlier: bool) -> None:
    watched = life(free_port())
    notes = dict(watched.after(exchange).notes)
    assert notes[NOT_BACK] == "refused connections from then on"
    assert (EARLIER in notes) == earlier
    assert watched.is_gone
    assert watched.after(REFUSED) == REFUSED


def test_a_target_that_comes_back_is_waited_for_and_what_ran_beside_is_noted() -> None:
    port = free_port()
    answered: list[float] = []
    watched = life(port, patience=20.0, answers=answered.append)
    with contextlib.ExitStack() as stack:
        back = threading.Timer(0.3, lambda: stack.enter_context(listener(port)))
        back.start()
        notes = dict(watched.after(TORN).notes)
        back.join()
        assert float(notes[BACK]) >= 0
        assert not watched.is_gone
        assert answered == [20.0]
        beside = Exchange("e", Request("POST", "/generate"), 3.5, End.TRUNCATED, 1.5)
        assert dict(watched.after(beside).notes) == {BESIDE: notes[DIED]}


def test_a_target_is_started_again() -> None:
    port = free_port()
    with contextlib.ExitStack() as stack:

        def relaunch() -> str:
            stack.enter_context(listener(port))
            return ""

        watched = life(port, relaunch=relaunch)
        assert RELAUNCHED in dict(watched.after(TORN).notes)
        assert not watched.is_gone


def test_a_relaunch_that_fails_leaves_it_free_port() -> None:
    watched = life(free_port(), relaunch=lambda: "no such program")
    assert dict(watched.after(TORN).notes)[NOT_BACK].endswith("--relaunch did not help: no such program")
    assert watched.is_gone


def test_a_target_that_dies_again_and_again_is_left_alone() -> None:
    relaunched: list[int] = []
    watched = life(free_port(), relaunch=lambda: relaunched.append(1) or "")  # type: ignore[func-returns-value]
    for number in range(MOST_DEATHS + 1):
        exchange = Exchange(f"x/{number}", Request("POST", "/generate"), 100.0 + number, End.TRUNCATED, 0.1)
        last = watched.after(exchange)
    assert len(relaunched) == MOST_DEATHS
    assert "had died 10 times before" in dict(last.notes)[NOT_BACK]
    assert watched.is_gone
