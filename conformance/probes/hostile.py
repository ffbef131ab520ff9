"""Bytes that no client should send, and sizes that no client should ask for."""

from __future__ import annotations

import json
from collections.abc import Iterator

from conformance.probe import Cost, Probe
from conformance.probes import payload
from conformance.probes.payload import generate, generate_raw
from conformance.probes.series import SILENT_ENOUGH, silent
from conformance.target import Target, first_event
from conformance.transcript import Exchange
from conformance.wire import Address

DEPTH = 10_000
MEGABYTE = 1 << 20


def _raw(target: Target) -> dict[str, bytes]:
    """Requests that are not HTTP, by name."""
    address = Address.of(target.settings.url)
    path, host = f"{address.prefix}/generate", address.host_header
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    body = json.dumps(payload.plain(target.settings))
    length = f"Content-Length: {len(body)}\r\n"
    return {
        "request-line": b"\x00\x01\x02 hello\r\n\r\n",
        "header-name": f"GET {address.prefix}/health HTTP/1.1\r\nHost: {host}\r\nbad header\x01: 1\r\n\r\n".encode(),
        "length-negative": f"{head}Content-Length: -1\r\n\r\n{body}".encode(),
        "length-conflict": f"{head}{length}Content-Length: 2\r\n\r\n{body}".encode(),
        "length-and-chunked": f"{head}{length}Transfer-Encoding: chunked\r\n\r\n{body}".encode(),
        "chunk-size": f"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n".encode(),
    }


def _hostile(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them; one that starts a generation is hung up on at once."""
    unanswered = 0
    for name, data in _raw(target).items():
        exchange = target.raw(f"hostile/{name}", data, until=first_event())
        yield exchange
        unanswered += silent(exchange)
        if unanswered == SILENT_ENOUGH:
            break
    head = _raw(target)["length-negative"].partition(b"Content-Length")[0]
    yield target.raw("hostile/head-cut", head, cut=True)
    yield target.raw("hostile/body-cut", head + b'Content-Length: 1000\r\n\r\n{"prompt": "', cut=True)
    deep = json.dumps(payload.plain(target.settings))[:-1] + ', "x": ' + "[" * DEPTH + "]" * DEPTH + "}"
    yield target.send("hostile/json-deep", generate_raw(deep.encode()), until=first_event())
    yield target.send("hostile/health", payload.HEALTH)


def _huge_prompt(target: Target) -> Iterator[Exchange]:
    """One generation of a single step where the server serves a prompt of a megabyte; none where it refuses."""
    body = {**payload.plain(target.settings), "steps": 1, "prompt": "word " * (MEGABYTE // 5)}
    yield target.send("huge-prompt", generate(body))
    yield target.send("huge-prompt/health", payload.HEALTH)


PROBES = (Probe("hostile", Cost(), _hostile), Probe("huge-prompt", Cost(generations=1), _huge_prompt))
