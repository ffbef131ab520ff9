"""Many clients: those that hang up, those that come all at once, those that stay for long."""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.reliability.hostile import mutated
from tests.reliability.served import Served
from tests.reliability.surfaces import SURFACES

UPSCALE = {"X-Image-Width": "4", "X-Image-Height": "4", "X-Upscaler-Path": "default"}
SERVER = ("generate", "generate", "upscale", "health", "health", "wrong", "hostile")
KINDS = {
    "mock": SERVER,
    "reference": SERVER,
    "proxy": SERVER,
    "mock-control": ("generate", "upscale", "health", "health", "order", "journal", "hostile"),
    "control-port": ("generate", "upscale", "health", "health", "select", "status", "hostile"),
}
"""What clients of a target do, one as often as another."""


@dataclass
class Seen:
    """What a crowd saw. Times in seconds."""

    answers: Counter[str] = field(default_factory=Counter)
    health: list[float] = field(default_factory=list)
    pictures: dict[int, str] = field(default_factory=dict)
    """For each seed the picture, which must be the same for everybody."""
    mixed_up: int = 0


def hang_ups(server: Served, count: int) -> list[float]:
    """Leaves in the middle of so many generations, reading or not; how long the next client then waited, each time."""
    waits = []
    body = json.dumps({"prompt": "left", "steps": 200, "width": 256, "height": 256, "show_diffusion_process": True})
    request = f"POST /generate HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    small = {"prompt": "next", "steps": 1, "width": 64, "height": 64}
    with server.client() as client:
        for number in range(count):
            chance = random.Random(number)
            with server.connect(60) as connection:
                connection.sendall(request)
                if chance.random() < 0.5:
                    connection.recv(100)
                time.sleep(chance.choice((0.0, 0.005, 0.02, 0.1)))
            began = time.monotonic()
            client.post("/generate", json=small).raise_for_status()
            waits.append(time.monotonic() - began)
    return waits


def crowd(target: str, server: Served, clients: int, seconds: float, every: float = 0.0) -> tuple[Seen, list[int]]:
    """Clients that do everything for so long, each pausing `every` s; and the server's memory sixty times, MiB."""
    seen = Seen()
    lock = threading.Lock()
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_visit, args=(target, server, seen, lock, until, every, n)) for n in range(clients)
    ]
    for thread in threads:
        thread.start()
    curve = []
    while time.monotonic() < until:
        curve.append(server.memory())
        time.sleep(seconds / 60)
    for thread in threads:
        thread.join()
    return seen, curve


def percentile(times: list[float], share: float) -> float:
    """In seconds; 0 where there are none."""
    return statistics.quantiles(times, n=1000)[int(share * 1000) - 1] if len(times) > 1 else 0.0


def _visit(
    target: str, server: Served, seen: Seen, lock: threading.Lock, until: float, every: float, number: int
) -> None:
    chance = random.Random(number)

    def hostile(client: httpx.Client) -> str:
        with server.connect(1) as connection:
            connection.sendall(mutated(chance, SURFACES[target].seeds))
        return "sent"

    does = ASKED | {"hostile": hostile, "generate": lambda client: _generate(client, chance.randrange(20), seen, lock)}
    with server.client(seconds=60) as client:
        while time.monotonic() < until:
            kind = chance.choice(KINDS[target])
            began = time.monotonic()
            try:
                answer = does[kind](client)
            except (httpx.TransportError, OSError) as error:
                answer = type(error).__name__
            with lock:
                seen.answers[f"{kind}: {answer}"] += 1
                if kind == "health":
                    seen.health.append(time.monotonic() - began)
            time.sleep(every)


def _order(client: httpx.Client) -> str:
    client.post("/__mock__/script", json=["ok", "busy"])
    return str(client.put("/__mock__/quirk", json=["comments"]).status_code)


ASKED: dict[str, Callable[[httpx.Client], str]] = {
    "upscale": lambda client: str(client.post("/upscale", content=bytes(48), headers=UPSCALE).status_code),
    "health": lambda client: str(client.get("/health").status_code),
    "wrong": lambda client: str(client.post("/generate", json={"prompt": 5}).status_code),
    "order": _order,
    "journal": lambda client: str(client.get("/__mock__/requests/1/body").status_code),
    "select": lambda client: str(client.post("/select", json={"model_id": "synthetic"}).status_code),
    "status": lambda client: str(client.get("/status").status_code),
}


def _generate(client: httpx.Client, seed: int, seen: Seen, lock: threading.Lock) -> str:
    asked = {"prompt": f"house {seed}", "seed": seed, "steps": 2, "width": 64, "height": 64}
    answer = client.post("/generate", json=asked)
    if answer.status_code != 200:
        return str(answer.status_code)
    last = json.loads(answer.text.rstrip().rpartition("data: ")[2])
    if last["type"] != "complete":
        return "error event"
    picture = hashlib.sha256(last["image"].encode()).hexdigest()
    with lock:
        if last.get("seed") != seed or seen.pictures.setdefault(seed, picture) != picture:
            seen.mixed_up += 1
    return "complete"
