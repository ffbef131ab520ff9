"""Faults of what comes after a client has hung up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.unanswered import Never, NoAnswer
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest, Picture, Step
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.generation import Generates

REQUEST = Layer.REQUEST


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
    layer=REQUEST,
    breaks=("ROB-03",),
)(partial(HungUp, answer=NoAnswer(Never(None, False))))
fault(
    "hang-up-breaks-the-engine",
    "After a client has hung up in mid-stream, requests with an image are answered with status 500.",
    layer=REQUEST,
    breaks=("ROB-03",),
)(partial(HungUp, answer=APIError(500, "the engine is in a bad state")))


@fault(
    "hang-up-unnoticed",
    "A generation runs to its end although its client has gone, and the next one waits for it.",
    layer=REQUEST,
    breaks=("ROB-04",),
)
class HangUpUnnoticed(FaultHooks):
    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        work = engine.generate(request, lambda: False)
        try:
            yield from _each(work)
        finally:
            if cancelled():
                self.happened()
                for _ in work:
                    pass


def _each(work: Iterator[Step | Picture]) -> Iterator[Step | Picture]:
    """The same; unlike the iterator itself it may be closed without ending the work."""
    for done in work:  # noqa: UP028  (`yield from` would close the work too)
        yield done
