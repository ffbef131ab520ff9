"""What one client can do to another: by asking too much, by not reading, by leaving, by staying."""

from __future__ import annotations

import json
import selectors
import socket
import time
from contextlib import ExitStack, suppress

from tests.reliability.crowds import UPSCALE, percentile
from tests.reliability.document import Row
from tests.reliability.served import Served, served

OTHER = "127.0.0.9"
"""The address of a client that is another."""
SMALL = {"prompt": "next", "steps": 1, "width": 64, "height": 64}


def generation(**fields: object) -> bytes:
    """A whole request."""
    body = json.dumps({"prompt": "a red house", "steps": 4, "width": 64, "height": 64, **fields}).encode()
    return b"POST /generate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def overload(target: str, count: int) -> Row:
    """So many requests while the queue is full: the time of a 503, and what the thread with the event loop spends."""
    with ExitStack() as stack:
        server = stack.enter_context(served(target, "--max-waiting", "4"))
        for _ in range(8):
            stack.enter_context(server.connect(60)).sendall(generation(steps=1000, width=256, height=256))
        with server.client(seconds=60) as client:
            while client.post("/generate", json=SMALL).status_code != 503:
                time.sleep(0.05)
            idle, rest = server.cpu(loop=True), time.monotonic()
            time.sleep(2)
            each = (server.cpu(loop=True) - idle) / (time.monotonic() - rest)
            times, wrong, used, began = [], 0, server.cpu(loop=True), time.monotonic()
            for _ in range(count):
                asked = time.monotonic()
                wrong += client.post("/generate", json=SMALL).status_code != 503
                times.append(time.monotonic() - asked)
            cost = server.cpu(loop=True) - used - each * (time.monotonic() - began)
    waits = f"median {percentile(times, 0.5) * 1000:.1f} ms, p99 {percentile(times, 0.99) * 1000:.0f} ms"
    spent = f"{max(0.0, cost) / count * 1000:.2f} ms of processor each"
    return Row("requests while the queue is full", count, f"503, {wrong} others; {waits}, {spent}", wrong > 0)


def fairness(target: str, count: int) -> Row:
    """One client has so many requests waiting, another asks once: how many of the first are served meanwhile."""
    options = ("--max-waiting", str(count), "--max-connections", str(count + 50))
    with ExitStack() as stack:
        server = stack.enter_context(served(target, *options))
        watched = stack.enter_context(selectors.DefaultSelector())
        for _ in range(count):
            connection = stack.enter_context(server.connect(60))
            connection.sendall(generation(steps=20))
            watched.register(connection, selectors.EVENT_READ, bytearray())
        time.sleep(1)
        ended: list[bytearray] = []
        before = _completed(watched, ended)
        with server.client(OTHER) as client:
            began = time.monotonic()
            answer = client.post("/generate", json=SMALL)
            took = time.monotonic() - began
        meanwhile = _completed(watched, ended) - before
    told = f"status {answer.status_code} after {took:.1f} s, while {meanwhile} of the others were served"
    broken = answer.status_code != 200 or meanwhile > count // 20
    return Row("another client's request beside those of one that waits with so many", count, told, broken)


def _completed(watched: selectors.DefaultSelector, ended: list[bytearray]) -> int:
    """How many have their picture by now; `ended` keeps what came on connections that are closed."""
    while ready := watched.select(0):
        for key, _ in ready:
            assert isinstance(key.fileobj, socket.socket)
            data = b""
            with suppress(OSError):
                data = key.fileobj.recv(1 << 20)
            key.data.extend(data)
            if not data:
                watched.unregister(key.fileobj)
                ended.append(key.data)
    return sum(b"event: complete" in data for data in (*(key.data for key in watched.get_map().values()), *ended))


def unread(target: str) -> Row:
    """A client that never reads has the engine; another waits until it is served."""
    with served(target) as server, server.connect(60, window=4096) as silent:
        silent.sendall(generation(steps=150, width=512, height=512, show_diffusion_process=True))
        _wait_until_idle(server)
        with server.client(OTHER) as client:
            began = time.monotonic()
            status = client.post("/generate", json=SMALL).status_code
            took = time.monotonic() - began
    told = f"status {status} for the next client, after {took:.1f} s"
    return Row("a reader that never reads", 1, told, status != 200 or took > 60)


def _wait_until_idle(server: Served, most: float = 60.0) -> None:
    """Until the engine waits for its reader."""
    until = time.monotonic() + most
    quiet = 0
    while quiet < 4 and time.monotonic() < until:
        used = server.cpu()
        time.sleep(0.25)
        quiet = quiet + 1 if server.cpu() - used < 0.05 else 0


def abandoned(server: Served, count: int) -> Row:
    """So many upscales whose client leaves, then one that stays."""
    before = server.tracebacks()
    head = "".join(f"{name}: {value}\r\n" for name, value in {**UPSCALE, "X-Image-Width": "64"}.items())
    request = f"POST /upscale HTTP/1.1\r\nHost: a\r\n{head}Content-Length: 768\r\n\r\n".encode() + bytes(768)
    for number in range(count):
        with server.connect(60) as connection:
            connection.sendall(request)
            time.sleep(0.01 * (number % 3))
    with server.client() as client:
        status = client.post("/upscale", content=bytes(48), headers=UPSCALE).status_code
    logged = server.tracebacks() - before
    told = f"status {status} for the next, {logged} lines of tracebacks in the log"
    return Row("upscales whose client left", count, told, status != 200 or logged > 0)


def idle(target: str, count: int, descriptors: int) -> Row:
    """So many connections that say nothing, at a server with so many descriptors, then a client."""
    with ExitStack() as stack:
        server = stack.enter_context(served(target, descriptors=descriptors))
        for _ in range(count):
            with suppress(OSError):
                stack.enter_context(server.connect(10))
        with server.client(seconds=30) as client:
            status = client.get("/health").status_code
        logged = server.tracebacks()
    told = f"status {status} for the next client, {logged} lines of tracebacks in the log"
    what = f"idle connections, with {descriptors} descriptors"
    return Row(what, count, told, status != 200 or logged > 0)
