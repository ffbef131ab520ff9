"""Faults of requests that are never answered, or not to their end."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code

REQUEST = Layer.REQUEST


async def until_gone(receive: Receive) -> None:
    """Waits until the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Never(Response):
    """No answer at all, or one that begins and does not go on."""

    def __init__(self, begun: bytes | None, ends: bool) -> None:
        super().__init__()
        self.begun = begun
        self.ends = ends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.begun is not None:
            kind = b"text/event-stream" if not self.ends else b"application/json"
            length = [(b"content-length", b"1000")] if self.ends else []
            status = 400 if self.ends else 200
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), *length]})
            await send({"type": "http.response.body", "body": self.begun, "more_body": True})
        if not self.ends:
            await until_gone(receive)


class NoAnswer(APIError):
    """A refusal that never comes whole."""

    def __init__(self, response: Response) -> None:
        super().__init__(400, "")
        self.instead = response

    def response(self) -> Response:
        return self.instead


class OutOfRange(FaultHooks):
    """Does not come to an end with values out of range."""

    def __init__(self, place: Trigger | None, begun: bytes | None, ends: bool) -> None:
        super().__init__(place)
        self.begun = begun
        self.ends = ends

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            if problem.code is not Code.OUT_OF_RANGE:
                raise
            self.happened()
            raise NoAnswer(Never(self.begun, self.ends)) from None


RANGES = tuple(f"GEN-RNG-{number:02}" for number in range(2, 10))
fault(
    "out-of-range-unanswered",
    "A request with a value out of range is never answered.",
    layer=REQUEST,
    breaks=("GEN-RNG-01",),
)(partial(OutOfRange, begun=None, ends=False))
fault(
    "out-of-range-breaks-off",
    "The answer to a request with a value out of range breaks off in its middle.",
    layer=REQUEST,
    breaks=("GEN-RNG-01",),
)(partial(OutOfRange, begun=b'{"error": ', ends=True))


@fault(
    "long-prompt-unanswered",
    "A prompt of a megabyte is never answered.",
    layer=REQUEST,
    breaks=("ROB-10",),
)
class LongPromptUnanswered(FaultHooks):
    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if len(request.prompt) < 500_000:
            return request
        self.happened()
        raise NoAnswer(Never(None, False))
