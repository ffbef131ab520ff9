"""`local-dream serve --ray`: one front, two replicas, on this machine and on a cluster of two nodes; nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.mockserver.live_server import events_of

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed")

ROOT = Path(__file__).resolve().parents[3]
SERVE = (
    *(sys.executable, "-m", "local_dream_mockserver.commands.serve", "--port", "0", "--engine", "mortal"),
    *("--ray", "--ray-address"),
)
LOCAL = ("local", "--replicas", "2", "--replica-cpus", "0")
"""A cluster of one node that the server starts for itself."""
MINUTES = 300.0
"""Seconds that starting or replacing replicas may take on a busy machine."""
LONG: dict[str, Any] = {"prompt": "long", "steps": 1000, "width": 64, "height": 64, "seed": 1}
"""Some minutes of work."""
WHILE: dict[str, Any] = LONG | {"steps": 300}
SHORT: dict[str, Any] = LONG | {"prompt": "short", "steps": 3}


@dataclass
class Front:
    """The server."""

    process: subprocess.Popen[str]
    client: httpx.Client
    about: str

    def generate(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.client.post("/generate", json=body)
        assert answer.status_code == 200, answer.text
        return events_of(answer.text)

    @contextmanager
    def begun(self, body: dict[str, Any] = LONG) -> Iterator[Iterator[str]]:
        """While inside, a generation is under way; gives its further lines."""
        with self.client.stream("POST", "/generate", json=body) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("event: progress")
            yield lines

    def who(self) -> int:
        """The process of some replica."""
        return int(self.client.post("/tokenize", json={"prompt": "who"}).json()["count"])

    def replicas(self, count: int = 2) -> set[int]:
        """The processes of all, as soon as there are `count`."""
        found: set[int] = set()
        for _ in range(5000):
            found.add(self.who())
            if len(found) == count:
                break
        return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """That of all processes: in it the engine "mortal" is installed."""
    engines = tmp_path_factory.mktemp("engines")
    known = engines / "mortal-1.dist-info"
    known.mkdir()
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: mortal\nVersion: 1\n")
    (known / "entry_points.txt").write_text(
        "[local_dream.engines]\nmortal = tests.mockserver.cluster.mortal_engine:create\n"
    )
    path = os.pathsep.join([str(engines), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path, "RAY_USAGE_STATS_ENABLED": "0"}


@contextmanager
def two_nodes(environment: dict[str, str]) -> Iterator[tuple[str, Callable[[str], None]]]:
    """A cluster: its address, and how to give it orders; see two_nodes.py."""
    command = [sys.executable, "-m", "tests.mockserver.cluster.two_nodes"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, told = process.stdin, process.stdout

        def order(what: str) -> None:
            given.write(f"{what}\n")
            given.flush()
            assert told.readline() == "done\n"

        try:
            yield told.readline().strip(), order
            process.communicate(timeout=MINUTES)  # the end of its input
        finally:
            process.kill()


def last_event(lines: Iterator[str]) -> str:
    """The line that names it."""
    return [line for line in lines if line.startswith("event:")][-1]


@contextmanager
def serving(environment: dict[str, str], *options: str) -> Iterator[Front]:
    """A server with replicas."""
    command = [*SERVE, *options, "-o", "pace_step=0.1"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            _, url, about = process.stdout.readline().strip().split(" ", 2)
            with httpx.Client(base_url=url, timeout=MINUTES) as client:
                yield Front(process, client, about)
            process.terminate()
            assert process.wait(MINUTES) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def front(environment: dict[str, str]) -> Iterator[Front]:
    with serving(environment, *LOCAL) as front:
        yield front


def test_it_says_how_many_replicas_there_are(front: Front) -> None:
    assert front.about == "synthetic 2 x cpu"
    assert len(front.replicas()) == 2


def test_the_same_seed_gives_the_same_bytes_on_every_replica(front: Front) -> None:
    with ThreadPoolExecutor(2) as both:
        made = [events[-1] for events in both.map(front.generate, [SHORT, SHORT])]
    assert made[0]["type"] == "complete"
    assert made[0]["image"] == made[1]["image"]


def test_events_come_while_it_works_and_a_client_that_hangs_up_frees_its_replica(front: Front) -> None:
    with front.begun(), front.begun():
        pass
    with front.begun(), front.begun():
        pass  # neither waits for the minutes of the first two
    assert front.generate(SHORT)[-1]["type"] == "complete"


def test_a_client_that_hangs_up_while_it_waits(front: Front) -> None:
    with front.begun(), front.begun():
        with pytest.raises(httpx.ReadTimeout):
            front.client.post("/generate", json=SHORT, timeout=0.5)
        assert len(front.replicas()) == 2  # questions are answered meanwhile
    assert front.generate(SHORT)[-1]["type"] == "complete"


def test_what_an_engine_refuses_is_refused(front: Front) -> None:
    answer = front.client.post("/generate", json=SHORT | {"steps": 1001})
    assert answer.status_code == 400
    headers = {"X-Image-Width": "4", "X-Image-Height": "4", "X-Upscaler-Path": "default"}
    with front.begun(), front.begun():
        answer = front.client.post("/upscale", content=bytes(48), headers=headers)
    assert (answer.status_code, answer.headers["x-output-width"]) == (200, "16")


def test_replicas_that_die_give_an_error_event_and_are_replaced(front: Front) -> None:
    before = front.replicas()
    with front.begun() as lines:
        for process in before:
            os.kill(process, signal.SIGKILL)
        assert last_event(lines) == "event: error"
    assert front.generate(SHORT)[-1]["type"] == "complete"
    after = front.replicas()
    assert len(after) == 2
    assert not after & before


def test_a_rolling_restart_loses_no_request(front: Front) -> None:
    before = front.replicas()
    stop = threading.Event()
    ends: list[str] = []

    def ask() -> None:
        while not stop.is_set():
            ends.append(front.generate(SHORT)[-1]["type"])

    with ThreadPoolExecutor(3) as clients:
        running = [clients.submit(ask) for _ in range(3)]
        front.process.send_signal(signal.SIGHUP)
        while front.replicas() & before:
            pass
        stop.set()
    for each in running:
        each.result()
    assert set(ends) == {"complete"}
    assert not front.replicas() & before


def test_the_suite_finds_it_conformant(front: Front, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--profile", "all", "--destructive", "--upscaler-path", "default", "--json-report", str(report)]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--target", str(front.client.base_url)]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=MINUTES)
    results = json.loads(report.read_text())["requirements"]
    assert {one["verdict"] for one in results} <= {"pass", "not-applicable", "unjudged"}, done.stdout
    assert sum(one["verdict"] == "pass" for one in results) > 150


def test_too_many_requests_are_refused_by_the_same_rules(environment: dict[str, str]) -> None:
    with serving(environment, *LOCAL, "--busy") as front, front.begun(), front.begun():
        answer = front.client.post("/generate", json=SHORT)
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "server_error")
        assert "retry-after" in answer.headers


def test_what_does_not_fit_is_one_line(environment: dict[str, str]) -> None:
    command = [*SERVE, "local", "--replica-gpus", "1000"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=MINUTES)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: 1 x 1000 GPU do not fit on a cluster of ")
    assert done.stderr.count("\n") == 1


def test_a_node_that_goes_takes_nothing_with_it_but_its_own_work(environment: dict[str, str]) -> None:
    with two_nodes(environment) as (address, order), serving(environment, address) as front:
        assert front.about == "synthetic 2 x cpu"  # one for each node
        with front.begun(WHILE) as first, front.begun(WHILE) as second:
            order("remove")
            with ThreadPoolExecutor(2) as both:
                read = list(both.map(last_event, (first, second)))
        assert set(read) == {"event: complete", "event: error"}
        assert front.generate(SHORT)[-1]["type"] == "complete"
        order("add")
        with front.begun(), front.begun():  # both at once again
            pass
