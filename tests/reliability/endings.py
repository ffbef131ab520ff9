"""How servers end: told to in the middle of a stream, and killed."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack

import httpx

from tests.ports import free_port
from tests.reliability.document import Row
from tests.reliability.neighbours import OTHER, SMALL, generation
from tests.reliability.served import PROXY, served

LONG = {"prompt": "long", "steps": 1000, "width": 64, "height": 64}


def told(target: str) -> Row:
    """SIGTERM while one client reads a stream, one waits, one does not read, and one has sent half a head."""
    with ExitStack() as stack:
        server = stack.enter_context(served(target))
        silent = stack.enter_context(server.connect(60, OTHER, window=4096))
        half = stack.enter_context(server.connect(60))
        half.sendall(b"GET /hea")
        client = stack.enter_context(server.client())
        answer = stack.enter_context(client.stream("POST", "/generate", json=LONG))
        lines = answer.iter_lines()
        next(lines)
        if server.aimed == server.url:
            silent.sendall(generation(steps=200, width=512, height=512, show_diffusion_process=True))
        status, seconds = server.stop()
        last = ""
        try:
            for line in lines:
                last = line if line.startswith("event: ") else last
        except httpx.TransportError as error:
            last = type(error).__name__
        logged = server.tracebacks()
    result = f"status {status} after {seconds:.2f} s; the stream ended with {last.removeprefix('event: ')}"
    expected = last == "event: error" or target == PROXY  # which can only cut
    broken = status != 0 or seconds > 2 or logged > 0 or not expected
    return Row("SIGTERM in the middle of a stream, beside a client that does not read", 1, result, broken)


def killed(target: str) -> Row:
    """SIGKILL in the middle of a stream, then the same server at the same port."""
    port = free_port()
    with (
        served(target, port=port) as server,
        server.client() as client,
        client.stream("POST", "/generate", json=LONG) as answer,
    ):
        next(answer.iter_lines())
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    began = time.monotonic()
    with served(target, port=port) as again, again.client() as client:
        took = time.monotonic() - began
        status = client.post("/generate", json=SMALL).status_code
    result = f"ready again at the same port after {took:.1f} s, status {status}"
    return Row("SIGKILL in the middle of a stream", 1, result, status != 200)
