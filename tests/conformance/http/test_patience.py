"""How long servers are waited for at each stage of an exchange: long where they work."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Sequence

import pytest

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.http.connection import Connection, SendOptions
from local_dream_conformance.http.patience import GAVE_UP, STALLS, Kind, Limits, Patience
from tests.conformance.http.wire_scripts import GET, OK, POST
from tests.conformance.scripted_server import Script, serving

STREAM = OK + b"Content-Type: text/event-stream; charset=utf-8\r\n\r\n"
JSON = OK + b"Content-Type: application/json\r\n\r\n{}"
PICTURE = OK + b"Content-Type: image/jpeg\r\nContent-Length: 999\r\n\r\n\xff\xd8"
REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n"
ENVELOPE = b'{"error": {"message": "no prompt", "type": "request_error"}}'
PING = b": ping\n\n"
UPSCALE = Request("POST", "/upscale", (), b"abc")
REFUSAL = SendOptions(refusal=True)
BYTES = SendOptions(raw=b"POST /generate HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n{}")
LIMITS = Limits(idle=60, total=60, brief=60, unread=60, ending=60, between=60, lull=60)
"""In each test one of them is short: which one is at work then shows in how the exchange ends."""


def event(name: str, named: bool = True, **data: object) -> bytes:
    line = f"event: {name}\n" if named else ""
    return f"{line}data: {json.dumps({'type': name, **data})}\n\n".encode()


def step(number: int) -> bytes:
    return event("progress", step=number, total_steps=4)


def leaving_open(*pieces: bytes, again: bytes = b"", every: float = 0.02) -> Script:
    """Sends the pieces, then `again` for ever or nothing, and leaves the connection open."""

    def script(connection: socket.socket, over: threading.Event) -> None:
        for piece in pieces:
            connection.sendall(piece)
        while not over.wait(every if again else None):
            connection.sendall(again)

    return script


def end(connection: socket.socket, over: threading.Event) -> None:
    """Ends the answer in order: closing before the whole request is read would reset the connection."""
    connection.shutdown(socket.SHUT_WR)
    over.wait()


def ask(url: str, request: Request, limits: Limits, options: SendOptions, patience: Patience | None = None) -> Exchange:
    connection = Connection(Address.parse(url), patience or Patience(limits), time.monotonic)
    return connection.exchange("x", request, options)


def short(**values: float) -> Limits:
    return Limits(**{**vars(LIMITS), **values})


PLAIN = SendOptions()
CASES: dict[str, tuple[Script, Request, SendOptions, Limits, End, str]] = {
    "left open after complete": (
        leaving_open(STREAM, step(1), event("complete")),
        *(POST, PLAIN, short(ending=0.2), End.IDLE_TIMEOUT),
        "the stream was not ended after complete within 0.2 s",
    ),
    "pings after complete": (
        leaving_open(STREAM, step(1), event("complete"), again=PING),
        *(POST, PLAIN, short(ending=0.2), End.TOTAL_TIMEOUT),
        "the stream was not ended after complete within 0.2 s",
    ),
    "left open after an event that is complete by its type alone": (
        leaving_open(STREAM, event("progress", named=False, step=1), event("complete", named=False)),
        *(POST, PLAIN, short(ending=0.2), End.IDLE_TIMEOUT),
        "not ended after complete",
    ),
    "left open after error": (
        leaving_open(STREAM, event("error", message="no")),
        *(POST, REFUSAL, short(ending=0.2), End.IDLE_TIMEOUT),
        "the stream was not ended within 0.2 s",
    ),
    "refusal without an end": (
        leaving_open(REFUSED + ENVELOPE),
        *(POST, REFUSAL, short(ending=0.2), End.IDLE_TIMEOUT),
        "the answer was not ended within 0.2 s",
    ),
    "refusal in drips": (
        leaving_open(REFUSED, again=b" "),
        *(POST, REFUSAL, short(ending=0.2), End.TOTAL_TIMEOUT),
        "the answer was not ended within 0.2 s",
    ),
    "health without an end": (
        leaving_open(JSON),
        *(GET, PLAIN, short(ending=0.2), End.IDLE_TIMEOUT),
        "the answer was not ended",
    ),
    "no refusal": (leaving_open(), POST, REFUSAL, short(brief=0.2), End.IDLE_TIMEOUT, "no byte came for 0.2 s"),
    "no work": (leaving_open(), POST, PLAIN, short(idle=0.2), End.IDLE_TIMEOUT, "no byte came for 0.2 s"),
    "head in drips": (
        leaving_open(OK + b"X: ", again=b"x"),
        *(POST, REFUSAL, short(brief=0.2), End.TOTAL_TIMEOUT),
        "no answer came within 0.2 s",
    ),
    "half a request": (leaving_open(), POST, BYTES, short(unread=0.2), End.IDLE_TIMEOUT, "no byte came for 0.2 s"),
    "no event": (leaving_open(STREAM), POST, PLAIN, short(idle=0.2), End.IDLE_TIMEOUT, "no byte came for 0.2 s"),
    "pings and no event": (
        leaving_open(STREAM, again=PING),
        *(POST, PLAIN, short(idle=0.2), End.TOTAL_TIMEOUT),
        "no event came within 0.3 s",
    ),
    "no further step": (
        leaving_open(STREAM, step(1)),
        *(POST, PLAIN, short(between=0.2), End.IDLE_TIMEOUT),
        "no byte came for 0.2 s",
    ),
    "the same step for ever": (
        leaving_open(STREAM, step(1), again=step(1)),
        *(POST, PLAIN, short(between=0.2, rate=1e9), End.TOTAL_TIMEOUT),
        "no further step came within 0.2",
    ),
    "half a picture": (
        leaving_open(PICTURE),
        *(UPSCALE, PLAIN, short(lull=0.2), End.IDLE_TIMEOUT),
        "no byte came for 0.2 s",
    ),
    "a picture in drips": (
        leaving_open(PICTURE, again=b"x", every=0.05),
        *(UPSCALE, PLAIN, short(lull=0.3, rate=1e9), End.TOTAL_TIMEOUT),
        "the answer did not end within 0.3",
    ),
}


@pytest.mark.parametrize(("script", "request_", "options", "limits", "end", "said"), CASES.values(), ids=CASES)
def test_each_stage_has_its_own_end(
    script: Script, request_: Request, options: SendOptions, limits: Limits, end: End, said: str
) -> None:
    with serving(script, head_first=options.raw is None) as url:
        exchange = ask(url, request_, limits, options)
    assert (exchange.end, said in exchange.detail) == (end, True), exchange.detail
    assert exchange.ended_at < 30


def test_steps_that_go_on_are_waited_for() -> None:
    """Longer in all than any stage may last."""

    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(STREAM)
        for number in range(1, 31):
            over.wait(0.05)
            connection.sendall(step(number))
        connection.sendall(event("complete"))
        end(connection, over)

    with serving(script) as url:
        exchange = ask(url, POST, short(between=1.2, idle=1.2), PLAIN)
    assert exchange.end is End.EOF
    assert exchange.ended_at > 1.2


def test_a_large_event_on_a_slow_network_is_waited_for() -> None:
    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(STREAM + step(1))
        whole = event("complete", image="x" * 10_000)
        for start in range(0, len(whole), 1000):
            over.wait(0.1)
            connection.sendall(whole[start : start + 1000])
        end(connection, over)

    with serving(script) as url:
        assert ask(url, POST, short(between=0.4, rate=1000.0), PLAIN).end is End.EOF
        assert ask(url, POST, short(between=0.4, rate=1e9), PLAIN).end is End.TOTAL_TIMEOUT


def results(script: Script, count: int, request: Request, options: SendOptions, limits: Limits) -> Sequence[Exchange]:
    patience = Patience(limits)
    with serving(script) as url:
        return [ask(url, request, limits, options, patience) for _ in range(count)]


def test_what_is_known_to_be_left_open_is_not_waited_for_again() -> None:
    script = leaving_open(REFUSED, ENVELOPE)
    exchanges = results(script, STALLS + 2, POST, REFUSAL, short(ending=0.2))
    gave_up = [exchange.end in GAVE_UP for exchange in exchanges]
    assert gave_up == [True] * STALLS + [False] * 2
    assert {exchange.end for exchange in exchanges[STALLS:]} == {End.HUNG_UP}
    assert all(exchange.body == ENVELOPE for exchange in exchanges)


def test_less_is_read_of_a_target_that_has_sent_too_much() -> None:
    """Many such answers are held at a time."""
    limits = short(size=1 << 20, small=1 << 16)
    flood = leaving_open(STREAM, again=step(1) + b"data: " + b"x" * 20000 + b"\n\n", every=0.0)
    exchanges = results(flood, 3, POST, PLAIN, limits)
    assert {exchange.end for exchange in exchanges} == {End.TOO_LARGE}
    first, *later = [exchange.size for exchange in exchanges]
    assert first > 2 * max(later)
    assert Patience(limits).room() == limits.size


def test_a_kind_of_request_that_stalls_twice_is_known_and_no_other() -> None:
    patience = Patience(short(brief=0.1))
    with serving(leaving_open()) as url:
        for _ in range(STALLS):
            assert not patience.has_stalled(Kind.REFUSAL, "POST /generate")
            ask(url, POST, patience.limits, REFUSAL, patience)
    assert patience.has_stalled(Kind.REFUSAL, "POST /generate")
    assert not patience.has_stalled(Kind.WORK, "POST /generate")
    assert not patience.has_stalled(Kind.REFUSAL, "POST /upscale")


def test_a_slow_target_is_waited_for_longer() -> None:
    """A refusal may have to wait for the generation before it."""

    def script(connection: socket.socket, over: threading.Event) -> None:
        over.wait(0.3)
        connection.sendall(STREAM + step(1) + event("complete"))
        end(connection, over)

    patience = Patience(short(brief=0.1, brief_most=60))
    assert patience.answer(Kind.REFUSAL) == 0.1
    with serving(script) as url:
        exchange = ask(url, POST, patience.limits, PLAIN, patience)
    assert patience.answer(Kind.REFUSAL) == pytest.approx(2 * exchange.ended_at)
    assert patience.answer(Kind.WORK) == 60


def test_nothing_takes_longer_than_the_settings_allow() -> None:
    patience = Patience(Limits(idle=0.5))
    assert {patience.answer(kind) for kind in Kind} == {0.5}
