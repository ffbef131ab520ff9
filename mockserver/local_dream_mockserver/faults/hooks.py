"""The hooks by which a fault or a quirk changes the honest server, stage by stage.

A request passes them in this order: `door` (the whole ASGI application), `read` (body of /generate to request),
`asked` (what the engine is told), `messages` (the events), `pieces` (their bytes, one piece an event), and for
/upscale `upscaled` (the enlarged picture). Between `asked` and `messages` the engine works (`works`). Each hook gets
the honest stage or its result, and answers with another.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from starlette.types import ASGIApp

from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest, Picture, Step
from local_dream_mockserver.server.generation import Generates
from local_dream_mockserver.server.http_protocol import HttpProtocol
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest

Reader: TypeAlias = Callable[[bytes], GenerationRequest]
"""Body to request. Raises APIError for a refusal."""


class FaultHooks:
    """Changes nothing; subclasses override the hooks that they need.

    One object serves all requests of a server (or of one client's test), so it may remember what happened before; hooks
    but `read` and `asked`, which run in worker threads, run in the event loop. `applied` counts how often it really
    changed what was served: hooks call `happened()` exactly when they do. `http` is how bytes are read as HTTP by the
    server that has this alteration from its start on.
    """

    http: type[HttpProtocol] = HttpProtocol

    def __init__(self, place: Trigger | None = None) -> None:
        self.place = place
        self.applied = 0
        self._counting = threading.Lock()

    def happened(self) -> None:
        """Counts one change. From any thread."""
        with self._counting:
            self.applied += 1

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Around the whole application, for every request."""
        return app

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        """The body of POST /generate; `honest` validates it. In a worker thread."""
        return honest(body)

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        """What the engine paints; what the answer says of seed and size stays that of the request. In the engine's
        thread. The size must stay."""
        return request

    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        """The engine's work on one generation. In the engine's thread."""
        return engine.generate(request, cancelled)

    def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        """The events of one generation."""
        return messages

    def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        """The bytes of one generation's events, one piece an event, each sent at once."""
        return pieces

    def upscaled(self, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        """The answer of POST /upscale before its headers are made."""
        return answer


class Stack(FaultHooks):
    """Several alterations as one; the first is nearest to the honest server."""

    def __init__(self, parts: Sequence[FaultHooks]) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.http = next((part.http for part in parts if part.http is not HttpProtocol), HttpProtocol)

    def wrap(self, app: ASGIApp) -> ASGIApp:
        for part in self.parts:
            app = part.wrap(app)
        return app

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        for part in self.parts:
            honest = _reader(part, honest)
        return honest(body)

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        for part in self.parts:
            request = part.asked(request)
        return request

    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        for part in self.parts:
            engine = Worked(engine, part)
        return engine.generate(request, cancelled)

    def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        for part in self.parts:
            messages = part.messages(messages, request)
        return messages

    def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        for part in self.parts:
            pieces = part.pieces(pieces, request)
        return pieces

    def upscaled(self, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        for part in self.parts:
            answer = part.upscaled(answer, request)
        return answer


@dataclass(frozen=True, slots=True)
class Worked:
    """An engine whose work goes through an alteration."""

    engine: Generates
    alteration: FaultHooks

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        return self.alteration.works(self.engine, request, cancelled)


def _reader(part: FaultHooks, honest: Reader) -> Reader:
    return lambda body: part.read(body, honest)


HONEST = FaultHooks()
