"""The mock as a test in Python uses it: a server in a thread, and the handle that orders and looks."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from local_dream_mockserver.faults.catalogue import Fault, Quirk
from local_dream_mockserver.mock.answers import (
    Answer,
    answers_of,
    busy,
    error_event,
    faulty,
    ok,
    paced,
    refusal,
    server_error,
)
from local_dream_mockserver.mock.mock_engine import MockEngine
from local_dream_mockserver.mock.request_log import Request, RequestLog
from local_dream_mockserver.mock.saved_pictures import SavedPictures
from local_dream_mockserver.mock.scripted_app import create_scripted_app
from local_dream_mockserver.mock.state import MockState
from local_dream_mockserver.mock.synthetic import Pacing
from local_dream_mockserver.mock.violation import Violation
from local_dream_mockserver.mock.wire_marks import MarkProxy
from local_dream_mockserver.proxy.fronted import Fronted, handing_over
from local_dream_mockserver.proxy.proxy import parse_upstream
from local_dream_mockserver.server import clock
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.run import listen, url_of

TICK = 0.05
PATIENCE = 20.0
"""Seconds that the server's thread has to start and to stop."""


class Mock:
    """The fixture `local_dream_mock`. `url` is http://127.0.0.1:PORT.

    Whatever is ordered holds for the requests that come from then on. Names, `NAME[@PLACE]`, are those of
    `local-dream mock --list-faults` and `--list-quirks`; `local_dream_mockserver.proxy.unknown.Unknown` where there is
    none.
    """

    ok = staticmethod(ok)
    busy = staticmethod(busy)
    refusal = staticmethod(refusal)
    server_error = staticmethod(server_error)
    error_event = staticmethod(error_event)
    faulty = staticmethod(faulty)
    paced = staticmethod(paced)

    def __init__(self, url: str, orders: MockState, journal: RequestLog, control_url: str | None = None) -> None:
        self.url = url
        self.control_url = control_url
        """Where the control API is; None where `running_mock` was not told to have one."""
        self._orders = orders
        self._journal = journal

    def fault(self, *names: str) -> None:
        """Does something wrong, besides what was ordered before. A fault of how bytes are read as HTTP holds for new
        connections."""
        self._orders.order(Fault, names, more=True)

    def quirk(self, *names: str) -> None:
        """Is odd, but within the contract, besides what was ordered before."""
        self._orders.order(Quirk, names, more=True)

    def script(self, answers: Sequence[Answer | str | dict[str, Any]]) -> None:
        """The answers of the next requests of POST /generate and POST /upscale, one each, in place of a script that is
        not at its end: `mock.busy()`, or its form in JSON. After the last one the mock answers as without a script.
        Raises BadAnswer."""
        self._orders.script(answers_of(answers), more=False)

    def pace(self, *, first: float = 0.0, step: float = 0.0, upscale: float = 0.0) -> None:
        """Seconds before the first step, for each step, for an upscale, of requests from now on: for tests that hang up
        or give up."""
        self._orders.pace.set(Pacing(first=first, step=step, upscale=upscale))

    def release(self) -> None:
        """What `paced(hold=...)` holds goes on."""
        self._orders.release()

    @property
    def requests(self) -> list[Request]:
        """What clients sent, in the order of arrival; `wait` of one that may still be under way."""
        return self._journal.requests

    @property
    def breaches(self) -> list[Violation]:
        """What clients cannot count on in all of that: `assert mock.breaches == []`. `str` of one is a line."""
        return self._journal.breaches

    @property
    def script_left(self) -> list[str]:
        """Answers of the script that no request has had."""
        return self._orders.script_left

    def settle(self, seconds: float = 10.0) -> None:
        """Waits until no request is under way. Raises TimeoutError."""
        self._journal.settle(seconds)

    def wait_for_events(self, events: int = 1, *, seconds: float = 10.0, request: int | None = None) -> Request:
        """Waits until so many events of the generation that is under way were sent, or it is over; where none is under
        way, for the next one. `request` is the number of another request. Answers with it. Raises TimeoutError."""
        return self._journal.wait_for_events(events, seconds, request)

    def reset(self) -> None:
        """As at the start, with an empty journal. The fixture does not need it: each test has its own server."""
        self._orders.reset()
        self._journal.clear()


class PromptServer(Fronted):
    """Stops as soon as it is told to, not at uvicorn's next look; `stop` may be called from any thread."""

    def __init__(self, *args: Any, **keys: Any) -> None:
        super().__init__(*args, **keys)
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(loop, asyncio.BaseEventLoop):  # uvloop's time does not come from Python
            loop.time = clock.monotonic  # type: ignore[method-assign]
        await super().serve(sockets)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not self._stopping.is_set() and not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._stopping.wait()

    def stop(self) -> None:
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)


@contextmanager
def running_mock(
    seed: int = 0,
    *,
    settings: ServerSettings | None = None,
    save_pictures: str | Path | None = None,
    control: bool = False,
) -> Iterator[Mock]:
    """A mock on a free port of 127.0.0.1, in a thread of this process, until the block ends. `seed` makes the seeds
    that it picks repeatable, where `settings` give none; `save_pictures` is a folder for the pictures that it gets and
    makes; `control` says whether the control API is there, on another free port."""
    settings = settings or ServerSettings()
    if settings.seed is None:
        settings = replace(settings, seed=seed)
    remote = listen("127.0.0.1", 0) if control else None
    if remote is not None:
        settings = replace(settings, control_port=remote.getsockname()[1])
    orders, journal = MockState(without=settings.without), RequestLog()
    saved = None if save_pictures is None else SavedPictures(Path(save_pictures))
    engine = MockEngine(orders.pace, any_upscaler=True, saved=saved)
    app = create_scripted_app(engine, settings, orders, journal, control=True)
    listener, inner = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    proxy = MarkProxy(parse_upstream(url_of(inner)), orders.marks)
    orders.marks.port = proxy.upstream.port
    ready = threading.Event()
    urls: list[str] = []

    def told(url: str) -> None:
        urls.append(url)
        ready.set()

    server = PromptServer(
        app,
        proxy,
        "127.0.0.1",
        0,
        told,
        http=handing_over(lambda *args, **keys: orders.http(*args, **keys), proxy, orders.needs_proxy, listener),
        public=listener,
    )
    listeners = [listener, inner, *filter(None, [remote])]
    thread = threading.Thread(target=server.run, args=(listeners,), name="local-dream-mock", daemon=True)
    thread.start()
    try:
        if not ready.wait(PATIENCE):
            raise TimeoutError(f"the mock did not start within {PATIENCE:g} s")
        yield Mock(urls[0], orders, journal, None if remote is None else url_of(remote))
    finally:
        server.stop()
        thread.join(PATIENCE)
        for one in listeners:
            one.close()
