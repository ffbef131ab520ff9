"""Faults and quirks of connections and of how HTTP is spoken: requests that are never answered, clients that hang up,
what comes after a request that a server could not stomach."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Unpack

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from local_dream_mockserver.faults.effects import pictures, requests, responses
from local_dream_mockserver.faults.effects.declare import several, where, whole
from local_dream_mockserver.faults.effects.requests import Refusals, after_hang_up, in_stream, meant
from local_dream_mockserver.faults.effects.responses import Exchange
from local_dream_mockserver.faults.hooks import FaultHooks, Reader, Work, hooked
from local_dream_mockserver.faults.middleware import Reply
from local_dream_mockserver.server import clock
from local_dream_mockserver.server.connection import gone
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.generation import Generates
from local_dream_mockserver.server.http_protocol import HttpProtocol
from local_dream_mockserver.server.upscale import WIDTH

OUT_OF_RANGE = (Code.OUT_OF_RANGE,)
TORN = b'{"error": '
HEALTH = ("/health",)

# Requests that are never answered, or not to the end


class NeverAnswered(Response):
    """Sends nothing, and waits until the client hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await gone(receive)


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

several(whole)(
    "hang-up-wedges (ROB-03): After a client has hung up in mid-stream, requests with an image are never answered.",
    after_hang_up(NoAnswer(NeverAnswered()), lambda request: request.image is not None),
    "hang-up-breaks-the-engine (ROB-03): After a client has hung up in mid-stream, requests with an image are answered"
    " with status 500.",
    after_hang_up(APIError(500, "the engine is in a bad state"), lambda request: request.image is not None),
    "hang-up-reaches-the-next (ROB-03): After a client has hung up in mid-stream the next generation is answered with"
    " status 500, and those after it are made.",
    after_hang_up(APIError(500, "stopped"), once=True),
    "busy-after-a-hang-up (quirk): Just after a client has hung up a generation is refused with status 503 and"
    " Retry-After: 3.",
    after_hang_up(APIError(503, "the last generation is being cleared away", {"Retry-After": "3"}), once=True),
)


LAG = 0.1
"""Seconds for which a piece could not be sent to a client that is behind."""


def remembering_who_was_behind(hooks: FaultHooks, app: ASGIApp) -> ASGIApp:
    """The application; `hooks.remembered` is whether a client has hung up that was behind."""

    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        pending = math.inf

        async def sending(message: ASGIMessage) -> None:
            nonlocal pending
            pending = clock.monotonic()
            await send(message)
            pending = math.inf

        async def receiving() -> ASGIMessage:
            message = await receive()
            lags = clock.monotonic() - pending >= LAG
            hooks.remembered = hooks.remembered or (message["type"] == "http.disconnect" and lags)
            return message

        await app(scope, receiving, sending)

    return around


def unanswered_with_an_image(hooks: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
    """Reads a request; one with an image is never answered once there is something to remember."""
    request = honest(body)
    if hooks.remembered and request.image is not None:
        hooks.happened()
        raise NoAnswer(NeverAnswered())
    return request


several(whole)(
    "hang-up-while-behind-wedges (ROB-03): After a client that did not read has hung up, requests with an image are"
    " never answered.",
    lambda: hooked(None, wrap=remembering_who_was_behind, read=unanswered_with_an_image),
)


@pictures.works("ROB-04")
def hang_up_unnoticed(hooks: FaultHooks, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Work:
    """A generation runs to its end although its client has gone, and the next one waits for it."""
    work = engine.generate(request, lambda: False)
    try:
        yield from (done for done in work)  # `yield from work` would end the work too where this is closed
    finally:
        if cancelled():
            hooks.happened()
            for _ in work:
                pass


# Bodies in chunks, and Expect

several(responses.instead)(
    "chunked-bodies-refused (ROB-05): A body in chunked transfer coding is refused with status 411.",
    where(lambda: Reply.of_error(411, "Content-Length: missing"), having="transfer-encoding"),
    "expect-refused (ROB-06): A request with Expect: 100-continue is refused with status 417.",
    where(lambda: Reply.of_error(417, "Expect: cannot be met", (b"connection", b"close")), having="expect"),
)
several(requests.received)(
    "chunked-bodies-unread (ROB-05): A body in chunked transfer coding is not read.",
    where(lambda request: replace(request, body=b""), having="transfer-encoding"),
    "expect-loses-the-body (ROB-06): The body of a request with Expect: 100-continue is not read.",
    where(lambda request: replace(request, body=b""), having="expect"),
)


@whole("ROB-05")
def torn_chunks_unread() -> FaultHooks:
    """A chunk that ends within a character is not read by /generate: each is decoded on its own."""
    hooks = FaultHooks()

    class ByChunks(HttpProtocol):
        def on_body(self, body: bytes) -> None:
            chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
            torn = chunked and self.scope["path"] == "/generate" and body.decode("utf-8", "ignore").encode() != body
            if torn:
                hooks.happened()
            super().on_body(b"" if torn else body)

    hooks.http = ByChunks
    return hooks


# Connections that are kept alive

several(responses.after, when=lambda exchange: exchange.reply.status >= 400)(
    "answers-lag-behind (ROB-07): On a connection that is kept alive the answers after an error are that error again.",
    lambda error, client: error.reply if client == error.client else None,
    "errors-poison-connections (ROB-07): On a connection that is kept alive the requests after an error are answered"
    " with status 500.",
    lambda error, client: Reply.of_error(500, "the connection is in a bad state") if client == error.client else None,
)


# Afterwards


def out_of_order() -> Reply:
    """The answer of a server that cannot go on."""
    return Reply.of_error(500, "out of order")


def is_long(exchange: Exchange) -> bool:
    """Whether a body has a prompt of a megabyte."""
    return len(exchange.body) > 1_000_000 and exchange.path == "/generate" and b'"image"' not in exchange.body


def refused_for(**refusals: Unpack[Refusals]) -> Callable[[Exchange], bool]:
    """Whether a request was refused so."""
    return lambda exchange: exchange.problem is not None and meant(exchange.problem, refusals)


several(responses.after, on=HEALTH)(
    "refusal-ends-health (ERR-05): After a field of a wrong type GET /health is answered with status 500.",
    where(out_of_order, when=refused_for(codes=(Code.WRONG_TYPE,))),
    "upscale-refusal-ends-health (ERR-05): After an upscale with a width that is no number GET /health is answered with"
    " status 500.",
    where(out_of_order, when=refused_for(codes=(Code.WRONG_FORM,), fields=(WIDTH,))),
    "deep-json-ends-health (ROB-08): After JSON that is nested thousands of levels deep GET /health is answered with"
    " status 500.",
    where(out_of_order, when=lambda exchange: b"[" * 1000 in exchange.body),
    "long-prompt-ends-health (ROB-10): After a prompt of a megabyte GET /health is answered with status 500.",
    where(out_of_order, when=is_long),
)
several(requests.refused)(
    "refusal-spoils-the-next (ERR-06): The first generation after a field of a wrong type is answered with status 500.",
    where(lambda: APIError(500, "the engine is in a bad state"), after=(Code.WRONG_TYPE,)),
    "refusal-keeps-the-lock (ERR-06): The first generation after a field of a wrong type ends with an error event.",
    where(lambda: in_stream({"type": "error", "message": "the engine is locked"}), after=(Code.WRONG_TYPE,)),
    "bad-picture-spoils-the-next (ERR-06): The first image after a picture that cannot be read is refused as that was.",
    where(lambda values: values.get("image") and "image: cannot be read", after=(Code.NOT_BASE64, Code.NOT_A_PICTURE)),
)


# What is no HTTP


@whole("ROB-09")
def garbage_gets_200() -> FaultHooks:
    """Bytes that are not HTTP get status 200."""
    hooks = FaultHooks()

    class Obliging(HttpProtocol):
        def send_400_response(self, msg: str) -> None:
            hooks.happened()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()

    hooks.http = Obliging
    return hooks
