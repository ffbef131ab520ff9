"""The hooks by which a fault or a quirk changes the honest server, stage by stage.

A request passes them in this order: `wrap` (the whole ASGI application), `read` (body of /generate to request),
`asked` (what the engine is told), `messages` (the events), `pieces` (their bytes, one piece an event), and for
/upscale `upscaled` (the enlarged picture). Between `asked` and `messages` the engine works (`works`), and before
`upscaled` (`enlarges`). Each hook gets the honest stage or its result, and answers with another.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, TypeAlias

from starlette.types import ASGIApp

from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest, Picture, Step
from local_dream_mockserver.server.generation import Generates
from local_dream_mockserver.server.http_protocol import HttpProtocol
from local_dream_mockserver.server.upscale import Enlarge, UpscaleAnswer, UpscaleRequest

Reader: TypeAlias = Callable[[bytes], GenerationRequest]
"""Body to request. Raises APIError for a refusal."""
Work: TypeAlias = Iterator[Step | Picture]
"""The steps of a generation and, at last, its picture."""


class FaultHooks:
    """Changes nothing; subclasses override the hooks that they need, and `hooked` puts functions in their place.

    One object serves all requests of a server (or of one client's test), so it may remember what happened before; hooks
    but `read` and `asked`, which run in worker threads, run in the event loop. `applied` counts how often it really
    changed what was served: hooks call `happened()` exactly when they do. `http` is how bytes are read as HTTP by the
    server that has these hooks from its start on.
    """

    http: type[HttpProtocol] = HttpProtocol

    def __init__(self, place: Trigger | None = None) -> None:
        self.place = place
        self.applied = 0
        self.remembered: Any = None
        """What functions in place of hooks keep from one request to the next."""
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

    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Work:
        """The engine's work on one generation. In the engine's thread."""
        return engine.generate(request, cancelled)

    def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        """The events of one generation."""
        return messages

    def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        """The bytes of one generation's events, one piece an event, each sent at once."""
        return pieces

    def enlarges(self, enlarge: Enlarge, cancelled: Cancelled) -> UpscaleAnswer:
        """The engine's work on one upscale. In the thread of the upscales."""
        return enlarge()

    def upscaled(self, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        """The answer of POST /upscale before its headers are made."""
        return answer


HONEST = FaultHooks()


def hooked(place: Trigger | None, **hooks: Callable[..., Any]) -> FaultHooks:
    """Hooks by functions, each of which gets the object before its arguments: `hooked(place, read=read)`."""
    made = FaultHooks(place)
    for name, hook in hooks.items():
        setattr(made, name, partial(hook, made))
    return made


@dataclass(frozen=True, slots=True)
class Works:
    """What `Generates` needs, by a function."""

    generate: Callable[[GenerationRequest, Cancelled], Work]


class Stack(FaultHooks):
    """Several as one; the first is nearest to the honest server."""

    def __init__(self, parts: Sequence[FaultHooks]) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.http = next((part.http for part in parts if part.http is not HttpProtocol), HttpProtocol)

    def wrap(self, app: ASGIApp) -> ASGIApp:
        return reduce(lambda inner, part: part.wrap(inner), self.parts, app)

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        return reduce(lambda inner, part: lambda body: part.read(body, inner), self.parts, honest)(body)

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        return reduce(lambda asked, part: part.asked(asked), self.parts, request)

    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Work:
        for part in self.parts:
            engine = Works(partial(part.works, engine))
        return engine.generate(request, cancelled)

    def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        return reduce(lambda inner, part: part.messages(inner, request), self.parts, messages)

    def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        return reduce(lambda inner, part: part.pieces(inner, request), self.parts, pieces)

    def enlarges(self, enlarge: Enlarge, cancelled: Cancelled) -> UpscaleAnswer:
        for part in self.parts:
            enlarge = partial(part.enlarges, enlarge, cancelled)
        return enlarge()

    def upscaled(self, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        return reduce(lambda upscaled, part: part.upscaled(upscaled, request), self.parts, answer)
