"""Bytes that no client should send, and sizes that no client should ask for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.requests import generate, generate_raw
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.series import REFUSAL, SILENT_ENOUGH, silent, with_room

DEPTH = 10_000
MEGABYTE = 1 << 20


def _raw(target: Target) -> dict[str, bytes]:
    """Requests that are not HTTP, by name."""
    address = target.settings.address
    host = address.host_header
    head = _head(target, "POST", "/generate").decode()
    body = json.dumps({**requests.plain(target.settings), "steps": 1})
    length = f"Content-Length: {len(body)}\r\n"
    return {
        "request-line": b"\x00\x01\x02 hello\r\n\r\n",
        "header-name": f"GET {address.prefix}/health HTTP/1.1\r\nHost: {host}\r\nbad header\x01: 1\r\n\r\n".encode(),
        "length-negative": f"{head}Content-Length: -1\r\n\r\n{body}".encode(),
        "length-conflict": f"{head}{length}Content-Length: 2\r\n\r\n{body}".encode(),
        "length-and-chunked": f"{head}{length}Transfer-Encoding: chunked\r\n\r\n{body}".encode(),
        "chunk-size": f"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n".encode(),
    }


def _head(target: Target, method: str, path: str) -> bytes:
    """The beginning of a request, with two headers."""
    address = target.settings.address
    lines = (
        f"{method} {address.prefix}{path} HTTP/1.1",
        f"Host: {address.host_header}",
        "Content-Type: application/json",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def _refuses_half_a_body(target: Target) -> bool:
    """Whether JSON that breaks off was refused: nobody would see what else half a body costs."""
    refusals = target.transcript("refuse")
    known = {exchange.label: exchange for exchange in refusals.exchanges} if refusals else {}
    half = known.get("refuse/json-malformed")
    if half is None or half.status is None or spent_on(half) != Cost():
        target.leave_out(
            "hostile/body-cut", "not sent: a server that does not refuse JSON that breaks off may accept it"
        )
        return False
    return True


def _hostile(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them; of one that starts a generation it is a single step."""
    unanswered = 0
    for name, data in _raw(target).items():
        for exchange in with_room(partial(target.raw, f"hostile/{name}", data)):
            yield exchange
            unanswered += silent(exchange)
        if unanswered == SILENT_ENOUGH:
            break
    yield target.raw("hostile/head-cut", _head(target, "GET", "/health"), cut=True)
    if _refuses_half_a_body(target):
        half = _head(target, "POST", "/generate") + b'Content-Length: 1000\r\n\r\n{"prompt": "'
        yield target.raw("hostile/body-cut", half, cut=True)
    quick = {**requests.plain(target.settings), "steps": 1}
    deep = generate_raw((json.dumps(quick)[:-1] + ', "x": ' + "[" * DEPTH + "]" * DEPTH + "}").encode())
    if not target.has_stalled(deep):
        yield from with_room(partial(target.send, "hostile/json-deep", deep, REFUSAL))
    yield target.send("hostile/health", requests.HEALTH)


def _huge_prompt(target: Target) -> Iterator[Exchange]:
    """One generation of a single step where the server serves a prompt of a megabyte; none where it refuses."""
    body = {**requests.plain(target.settings), "steps": 1, "prompt": "word " * (MEGABYTE // 5)}
    yield target.send("huge-prompt", generate(body))
    yield target.send("huge-prompt/health", requests.HEALTH)


HOSTILE = Scenario("hostile", Cost(), _hostile, after=("refuse",))
HUGE_PROMPT = Scenario("huge-prompt", Cost(generations=1), _huge_prompt)
