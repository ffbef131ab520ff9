"""Hostile requests: bytes that are nearly HTTP from bare sockets, and bodies that are nearly right from hypothesis."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.reliability.served import Served
from tests.reliability.surfaces import Asked, Surface

AT_ONCE = 16
PATIENCE = 0.3
"""Seconds that an answer may take before the next request; many requests have no end, and so no answer."""

SPICE = (
    *(b"\r\n", b"\n", b"\r", b"\0", b":", b" ", b"\xff", b"%00", b"..", b"{", b"[", b'"', b"\\ud800", b"1e999", b"-1"),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Host: b\r\n"),
    *(
        b"99999999999999999999",
        b"A" * 70_000,
        b"[" * 5000,
        b"HTTP/9.9",
        b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    ),
)


def mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the requests with one to six mistakes, or bytes without any sense."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(1, 400))
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            data[at:at] = chance.choice(SPICE)
        elif kind == 1:
            del data[at : at + chance.randint(1, 30)]
        elif kind == 2 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 3:
            data[at:at] = data[at : at + chance.randint(1, 80)]
        elif chance.random() < 0.2:
            del data[at:]
    return bytes(data) or b"\0"


def from_sockets(server: Served, surface: Surface, count: int) -> Counter[str]:
    """Sends mutated requests; answers with how many got which status, none, or a closed connection."""

    def one(number: int) -> str:
        try:
            with server.connect(PATIENCE) as connection:
                connection.sendall(mutated(random.Random(number), surface.seeds))
                answer = connection.recv(65536)
        except TimeoutError:
            return "waits for more"
        except OSError:
            return "closed"
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
        return found[1].decode() if found else "closed"

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return Counter(threads.map(one, range(count)))


def from_hypothesis(server: Served, surface: Surface, count: int) -> Counter[str]:
    """Sends requests whose values are anything; answers as `from_sockets`."""
    found: Counter[str] = Counter()
    with httpx.Client(base_url=server.aimed, timeout=30) as client:

        @seed(1)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(surface.asked)
        def send(asked: Asked) -> None:
            method, path, body = asked
            try:
                found[str(client.request(method, path, content=body).status_code)] += 1
            except httpx.TransportError as error:
                found[type(error).__name__] += 1

        send()
    return found
