"""A server on a real port for one test, and an engine that does what the test says, when it says so."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from starlette.types import ASGIApp

from local_dream_mockserver.mock.synthetic import SyntheticEngine, SyntheticPicture, SyntheticStep
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection_limits import ConnectionLimits
from local_dream_mockserver.server.engine import Cancelled, Engine, GenerationRequest, Rgb
from local_dream_mockserver.server.http_protocol import HttpProtocol
from local_dream_mockserver.server.run import LIMITS, Server, listen, url_of

PATIENCE = 20.0
"""Seconds after which a test that waits for something gives up. Nothing passes or fails by being quicker than that."""


@contextmanager
def running(
    app: ASGIApp,
    http: type[HttpProtocol] = HttpProtocol,
    limits: ConnectionLimits = LIMITS,
    control: socket.socket | None = None,
) -> Iterator[str]:
    """Serves the app on a free port, and at the socket `control`; gives its URL."""
    listener = listen("127.0.0.1", 0)
    ready = threading.Event()
    server = Server(app, ready.set, http=http, limits=limits)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener, *filter(None, [control])]})
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


@contextmanager
def controlled(engine: Engine, **settings: Any) -> Iterator[tuple[str, str]]:
    """The URL of a server with this engine, and that of its control API."""
    listener = listen("127.0.0.1", 0)
    app = create_app(engine, ServerSettings(control_port=listener.getsockname()[1], **settings))
    with listener, running(app, control=listener) as url:
        yield url, url_of(listener)


@contextmanager
def serving(engine: Engine, limits: ConnectionLimits = LIMITS, **settings: Any) -> Iterator[httpx.Client]:
    """A client of a server with this engine."""
    with (
        running(create_app(engine, ServerSettings(**settings)), limits=limits) as url,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        yield client


@contextmanager
def mock_program(*options: str) -> Iterator[tuple[str, str]]:
    """`local-dream mock` without a pace: its URL and the rest of its ready line. On SIGTERM it ends with status 0."""
    at_once = ("--port", "0", "--pace-first", "0", "--pace-step", "0")
    command = [sys.executable, "-m", "local_dream_mockserver", *at_once, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            word, url, about = process.stdout.readline().rstrip("\n").split(" ", 2)
            assert word == "ready"
            yield url, about
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0


@dataclass
class GatedEngine(SyntheticEngine):
    """Takes a step only when the test lets it: `allow()` one step, or `free` for all that follow; `may_upscale` is the
    same for upscaling.

    `began` holds the prompts in the order in which the engine took them up, `ended` those whose iterator was left.
    """

    before: Callable[[int], None] = lambda step: None
    """Called before each step (1, 2, ...); what it raises, the engine raises."""
    began: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)
    may_upscale: threading.Event = field(default_factory=threading.Event)
    steps_taken: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self._allowed = threading.Semaphore(0)
        self._changed = threading.Condition()

    def allow(self, steps: int = 1) -> None:
        if steps:
            self._allowed.release(steps)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits until the engine's state is as the test wants it."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE)

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        self._note(self.began, request.prompt)
        rgb = np.zeros((request.height, request.width, 3), np.uint8)
        try:
            for step in range(1, request.steps + 1):
                while not self.free.is_set() and not self._allowed.acquire(timeout=0.01):
                    if cancelled():
                        return
                self.before(step)
                self.steps_taken += 1
                yield SyntheticStep(step, request.steps, rgb if request.previews_at(step) else None)
            yield SyntheticPicture(rgb, 0.0)
        finally:
            self._note(self.ended, request.prompt)

    def upscale(self, rgb: Rgb, upscaler: str, use_opencl: bool, cancelled: Cancelled) -> Rgb:
        self._note(self.began, "upscale")
        while not self.may_upscale.wait(0.01) and not cancelled():
            pass
        self._note(self.ended, "upscale")
        return super().upscale(rgb, upscaler, use_opencl, cancelled)

    def _note(self, where: list[str], what: str) -> None:
        with self._changed:
            where.append(what)
            self._changed.notify_all()


def eventually(condition: Callable[[], object]) -> None:
    """Looks again and again until the condition is true."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def dialled(client: httpx.Client) -> socket.socket:
    """A bare connection to the client's server."""
    return socket.create_connection((client.base_url.host, client.base_url.port), PATIENCE)


def events_of(body: str) -> list[dict[str, Any]]:
    """The data of each event of a whole stream."""
    blocks = body.split("\n\n")
    assert blocks.pop() == ""
    return [json.loads(block.split("\n")[1].removeprefix("data: ")) for block in blocks]


def small(prompt: str = "x", **fields: Any) -> dict[str, Any]:
    """A small request."""
    return {"prompt": prompt, "steps": 3, "width": 16, "height": 8} | fields
