"""Faults of the wire for one answer: the application marks the answer, the proxy before it does what the mark says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.mock.recorder import KEY
from local_dream_mockserver.mock.request_log import Request
from local_dream_mockserver.proxy.mutator import Answer, Head, Out, ResponseMutator
from local_dream_mockserver.proxy.proxy import Proxy, Upstream
from local_dream_mockserver.proxy.requests import Asked

MARK = b"x-mock-wire"
MOST_MARKED = 1000


class Marks:
    """The answers that are on their way to the proxy. Only in the event loop."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.port: int | None = None
        """Where requests come from the proxy; None: everywhere."""
        self._marked: dict[bytes, tuple[ResponseMutator, Request]] = {}

    def add(self, mutator: ResponseMutator, request: Request) -> bytes:
        value = b"%d" % next(self._numbers)
        self._marked[value] = mutator, request
        if len(self._marked) > MOST_MARKED:
            del self._marked[next(iter(self._marked))]  # its client left before the proxy saw it
        return value

    def take(self, value: bytes) -> tuple[ResponseMutator, Request] | None:
        return self._marked.pop(value, None)


class ByWire(FaultHooks):
    """Marks the answers that a mutator wants. Where several do, the first that wants an answer has it."""

    def __init__(self, mutator: ResponseMutator, marks: Marks) -> None:
        super().__init__()
        self.mutator = mutator
        self.marks = marks

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            fronted = self.marks.port in (None, (scope.get("server") or (None, None))[1])

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start" and fronted and self._wants(scope, message):
                    request: Request = scope[KEY]
                    request.held = True
                    mark = (MARK, self.marks.add(self.mutator, request))
                    message = {**message, "headers": [*message["headers"], mark]}
                    self.happened()
                await send(message)

            await app(scope, receive, sending)

        return around

    def _wants(self, scope: Scope, message: Message) -> bool:
        head = Head(message["status"], b"", tuple(message["headers"]))
        return scope["path"].endswith(self.mutator.paths) and not head.value(MARK) and self.mutator.wants(head)


class MarkProxy(Proxy):
    """A proxy that does to each answer what its mark says, and passes the others on as they are."""

    def __init__(self, upstream: Upstream, marks: Marks, mutators: Sequence[ResponseMutator] = ()) -> None:
        super().__init__(upstream, mutators)
        self._marks = marks

    def bend_for(self, asked: Asked, head: Head) -> ResponseMutator | None:
        marked = self._marks.take(head.value(MARK))
        return super().bend_for(asked, head) if marked is None else Unmarked(*marked)


class Unmarked(ResponseMutator):
    """Another bend without the mark, which notes in the journal how it ends."""

    def __init__(self, mutator: ResponseMutator, request: Request) -> None:
        super().__init__()
        self._mutator = mutator
        self._request = request

    async def send(self, answer: Answer, out: Out) -> None:
        noted = Noted(out)
        watching = asyncio.ensure_future(self._watch(noted))
        await asyncio.sleep(0)  # it must wait for the client to leave before the bend does, which ends then
        try:
            await self._mutator.send(replace(answer, head=answer.head.without(MARK)), noted)
        finally:
            watching.cancel()
            self._request.end()

    async def _watch(self, out: Noted) -> None:
        await out.gone()
        if not out.ended:
            self._request.end(left=True)


class Noted:
    """The connection to the client; `ended` is whether it was this side that ended it."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self.ended = False

    async def write(self, data: bytes) -> None:
        await self._out.write(data)

    async def close(self) -> None:
        self.ended = True
        await self._out.close()

    async def reset(self) -> None:
        self.ended = True
        await self._out.reset()

    async def gone(self) -> None:
        await self._out.gone()
