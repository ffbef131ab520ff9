"""A server with one entry of the catalogue, standing on a real port for one trial."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from starlette.types import ASGIApp

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.catalogue import Fault, Quirk
from local_dream_mockserver.faults.emulated.release import EmulatedRelease
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine, SyntheticPicture, SyntheticStep, rest
from local_dream_mockserver.proxy.mutator import ResponseMutator
from local_dream_mockserver.proxy.proxy import Proxy, parse_upstream
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest
from local_dream_mockserver.server.extensions.catalogue import NAMES
from local_dream_mockserver.server.extensions.remote_control import NAME as CONTROL
from local_dream_mockserver.server.http_protocol import HttpProtocol
from local_dream_mockserver.server.run import Server, listen, url_of
from tests.matrix.expectations import expected_of

PATIENCE = 30.0
PACE = 0.004
"""Seconds a step takes at least. The suite would take steps that all come at once for events that were held back."""
Subject: TypeAlias = Fault | Quirk | EmulatedRelease
Applied: TypeAlias = Callable[[], int]
"""How often the fault was really served so far."""


class Remembering(SyntheticEngine):
    """Makes each picture once for all trials of a process: the same request gives the same picture anyway."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self._step = step

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        started = time.monotonic()
        first = 0.0
        for made in _made(request):
            if isinstance(made, SyntheticPicture):
                yield SyntheticPicture(made.rgb, first)
                return
            if cancelled():
                return
            rest(self._step, cancelled)
            first = first or time.monotonic() - started
            yield made


MADE: OrderedDict[tuple[object, ...], list[SyntheticStep | SyntheticPicture]] = OrderedDict()
KEPT = 40
"""Requests whose pictures are kept: those that every trial makes, and then some."""


def _made(request: GenerationRequest) -> list[SyntheticStep | SyntheticPicture]:
    key = key_of(request)
    if key not in MADE:
        MADE[key] = list(SyntheticEngine(Pacing(first=0, step=0)).generate(request, lambda: False))
    MADE.move_to_end(key)
    if len(MADE) > KEPT:
        MADE.popitem(last=False)
    return MADE[key]


def key_of(request: GenerationRequest) -> tuple[object, ...]:
    """By which requests that make the same picture are known."""
    values = (getattr(request, name) for name in GenerationRequest.__dataclass_fields__)
    return tuple(_hashable(value) for value in values)


def _hashable(value: object) -> object:
    """Pictures by their bytes."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    return tuple(map(_hashable, value)) if isinstance(value, tuple) else value


def has_control(entry: Subject | None) -> bool:
    """Whether the server has the control API, too."""
    if isinstance(entry, EmulatedRelease):
        return CONTROL not in entry.without
    return entry is None or CONTROL in entry.extensions


@contextmanager
def standing(entry: Subject | None) -> Iterator[tuple[str, Applied]]:
    """The URL of a server with the entry (None: the honest one), and how often the entry was served."""
    with controlled(entry) as (url, applied, _):
        yield url, applied


@contextmanager
def controlled(entry: Subject | None, seed: int | None = None) -> Iterator[tuple[str, Applied, str | None]]:
    """The same, and the URL of its control API, where it has one. The seeds that it picks are drawn from `seed`."""
    listener = listen("127.0.0.1", 0) if has_control(entry) else None
    try:
        port = None if listener is None else listener.getsockname()[1]
        with _standing(entry, port, listener, seed) as (url, applied):
            yield url, applied, None if listener is None else url_of(listener)
    finally:
        if listener is not None:
            listener.close()


@contextmanager
def _standing(
    entry: Subject | None, port: int | None, control: socket.socket | None, seed: int | None
) -> Iterator[tuple[str, Applied]]:
    engine = Remembering(max(PACE, expected_of(entry.name).pace if entry else 0.0))
    if entry is None:
        with serving(create_app(engine, ServerSettings(control_port=port, seed=seed)), control=control) as url:
            yield url, lambda: 0
        return
    if isinstance(entry, EmulatedRelease):
        made: FaultHooks | ResponseMutator = entry.make()
        settings = ServerSettings(without=frozenset(entry.without), control_port=port, seed=seed)
    else:
        made = entry.make(entry.place)
        off = set(NAMES) - set(entry.extensions) if entry.extensions else ()
        settings = ServerSettings(without=frozenset(off), control_port=port, seed=seed)
    if isinstance(made, FaultHooks):
        alteration = made
        with serving(create_faulty_app(engine, settings, lambda scope: alteration), alteration.http, control) as url:
            yield url, lambda: alteration.applied
    else:
        with serving(create_app(engine, settings)) as behind, proxying(behind, made) as url:
            yield url, lambda: made.applied


@contextmanager
def serving(
    app: ASGIApp, http: type[HttpProtocol] = HttpProtocol, control: socket.socket | None = None
) -> Iterator[str]:
    """Serves the app on a free port, and at the socket of its control API, where it has one."""
    listener = listen("127.0.0.1", 0)
    ready = threading.Event()
    server = Server(app, ready.set, http=http)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener, *filter(None, [control])]})
    thread.start()
    try:
        if not ready.wait(PATIENCE):
            raise RuntimeError("the server did not start")
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@contextmanager
def proxying(upstream: str, mutator: ResponseMutator) -> Iterator[str]:
    """A proxy before the server at `upstream`."""
    proxy = Proxy(parse_upstream(upstream), [mutator])
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE)

    try:
        yield run(proxy.listen("127.0.0.1", 0))
        run(proxy.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
