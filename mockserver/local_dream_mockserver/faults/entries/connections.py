"""Faults of connections: requests that are never answered, and what comes after a client has hung up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.effects import requests
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest, Picture, Step
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.generation import Generates

OUT_OF_RANGE = (Code.OUT_OF_RANGE,)
TORN = b'{"error": '

# Requests that are never answered, or not to the end


class NeverAnswered(Response):
    """Sends nothing, and waits until the client hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


class BrokenOff(Response):
    """Sends less of an error than its Content-Length says, and ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": TORN, "more_body": True})


class NoAnswer(APIError):
    """A refusal that never comes whole."""

    def __init__(self, response: Response) -> None:
        super().__init__(400, "")
        self._response = response

    def response(self) -> Response:
        return self._response


several(requests.refusal, codes=OUT_OF_RANGE)(
    "out-of-range-unanswered (GEN-RNG-01): A request with a value out of range is never answered.",
    lambda: NoAnswer(NeverAnswered()),
    "out-of-range-breaks-off (GEN-RNG-01): The answer to a request with a value out of range breaks off in its middle.",
    lambda: NoAnswer(BrokenOff()),
)
several(requests.refused)(
    "long-prompt-unanswered (ROB-10): A prompt of a megabyte is never answered.",
    lambda values, request: NoAnswer(NeverAnswered()) if len(request.prompt) >= 500_000 else None,
)


# Clients that hang up


class HungUp(FaultHooks):
    """Takes no image any more after a client has hung up on a stream that it had begun to read."""

    def __init__(self, place: Trigger | None, answer: APIError) -> None:
        super().__init__(place)
        self.answer = answer
        self.left = False

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        over = False
        try:
            async for message in messages:
                over = over or message.kind != "progress"
                yield message
        finally:
            self.left = self.left or not over

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if not self.left or request.image is None:
            return request
        self.happened()
        raise self.answer


fault(
    "hang-up-wedges",
    "After a client has hung up in mid-stream, requests with an image are never answered.",
    layer=Layer.REQUEST,
    breaks=("ROB-03",),
)(partial(HungUp, answer=NoAnswer(NeverAnswered())))
fault(
    "hang-up-breaks-the-engine",
    "After a client has hung up in mid-stream, requests with an image are answered with status 500.",
    layer=Layer.REQUEST,
    breaks=("ROB-03",),
)(partial(HungUp, answer=APIError(500, "the engine is in a bad state")))


@fault(
    "hang-up-unnoticed",
    "A generation runs to its end although its client has gone, and the next one waits for it.",
    layer=Layer.REQUEST,
    breaks=("ROB-04",),
)
class HangUpUnnoticed(FaultHooks):
    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        work = engine.generate(request, lambda: False)
        try:
            yield from each(work)
        finally:
            if cancelled():
                self.happened()
                for _ in work:
                    pass


def each(work: Iterator[Step | Picture]) -> Iterator[Step | Picture]:
    """The same; unlike the iterator itself it may be closed without ending the work."""
    for done in work:  # noqa: UP028  (`yield from` would close the work too)
        yield done
