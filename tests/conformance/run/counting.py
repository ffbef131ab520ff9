"""What a server really took on, counted where it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_conformance.core.budget import Cost
from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.catalogue import entries
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.selection import Selection
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from tests.mockserver.live_server import running

WORK = (b"event: progress", b"event: complete")


@dataclass
class Counter:
    """Passes everything on. A generation counts from its first progress or complete event, an upscale from its 200."""

    app: ASGIApp
    generations: int = 0
    upscales: int = 0

    @property
    def cost(self) -> Cost:
        return Cost(self.generations, self.upscales)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def counting(message: Message) -> None:
            nonlocal begun
            path = scope.get("path", "")
            if path == "/generate" and not begun and any(event in message.get("body", b"") for event in WORK):
                begun = True
                self.generations += 1
            if path == "/upscale" and message.get("status") == 200 and scope["method"] == "POST":
                self.upscales += 1
            await send(message)

        await self.app(scope, receive, counting)


@contextmanager
def counted(name: str, step: float = 0.01) -> Iterator[tuple[str, Counter]]:
    """The mock ("mock"), one of its personalities or faults: the URL, and what it took on so far."""
    engine = SyntheticEngine(Pacing(first=step, step=step))
    if name == "mock":
        counter = Counter(create_app(engine, ServerSettings()))
        with running(counter) as url:
            yield url, counter
        return
    release = personalities().get(name)
    alteration = release.make() if release else entries()[name].make(None)
    assert isinstance(alteration, FaultHooks)
    settings = ServerSettings(without=frozenset(release.without if release else ()))
    counter = Counter(create_faulty_app(engine, settings, Selection([alteration])))
    with running(counter, http=alteration.http) as url:
        yield url, counter
