"""Faults of how HTTP itself is spoken, and of what comes after a request that a server could not stomach."""

from __future__ import annotations

from dataclasses import replace

from starlette.types import Scope

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.effects import requests, responses
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import in_stream
from local_dream_mockserver.faults.effects.responses import Exchange
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.middleware import Reply, value_of
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.http_protocol import HttpProtocol
from local_dream_mockserver.server.upscale import WIDTH

HEALTH = ("/health",)
OUT_OF_ORDER = Reply.of_error(500, "out of order")


# Bodies in chunks, and Expect


@responses.instead("ROB-05", methods=("POST",))
def chunked_bodies_refused(scope: Scope) -> Reply | None:
    """A body in chunked transfer coding is refused with status 411."""
    chunked = b"chunked" in value_of(scope["headers"], b"transfer-encoding")
    return Reply.of_error(411, "Content-Length: missing") if chunked else None


several(requests.received, having="transfer-encoding")(
    "chunked-bodies-unread (ROB-05): A body in chunked transfer coding is not read.",
    lambda request: replace(request, body=b""),
)


@responses.instead("ROB-06")
def expect_refused(scope: Scope) -> Reply | None:
    """A request with Expect: 100-continue is refused with status 417."""
    refusal = Reply.of_error(417, "Expect: cannot be met", (b"connection", b"close"))
    return refusal if value_of(scope["headers"], b"expect") else None


several(requests.received, having="expect")(
    "expect-loses-the-body (ROB-06): The body of a request with Expect: 100-continue is not read.",
    lambda request: replace(request, body=b""),
)


# Connections that are kept alive

several(responses.after, when=lambda exchange: exchange.reply.status >= 400)(
    "answers-lag-behind (ROB-07): On a connection that is kept alive the answers after an error are that error again.",
    lambda error, client: error.reply if client == error.client else None,
    "errors-poison-connections (ROB-07): On a connection that is kept alive the requests after an error are answered"
    " with status 500.",
    lambda error, client: Reply.of_error(500, "the connection is in a bad state") if client == error.client else None,
)


# Afterwards


def is_wrong_type(exchange: Exchange) -> bool:
    """Whether a field was refused for its type."""
    return exchange.problem is not None and exchange.problem.code is Code.WRONG_TYPE


def is_wrong_width(exchange: Exchange) -> bool:
    """Whether an upscale was refused for a width that is no number."""
    problem = exchange.problem
    return problem is not None and problem.code is Code.WRONG_FORM and problem.field == WIDTH


def is_deep(exchange: Exchange) -> bool:
    """Whether a body is nested thousands of levels deep."""
    return b"[" * 1000 in exchange.body


def is_long(exchange: Exchange) -> bool:
    """Whether a body has a prompt of a megabyte."""
    return len(exchange.body) > 1_000_000 and exchange.path == "/generate" and b'"image"' not in exchange.body


several(responses.after, on=HEALTH, when=is_wrong_type)(
    "refusal-ends-health (ERR-05): After a field of a wrong type GET /health is answered with status 500.",
    lambda: OUT_OF_ORDER,
)
several(responses.after, on=HEALTH, when=is_wrong_width)(
    "upscale-refusal-ends-health (ERR-05): After an upscale with a width that is no number GET /health is answered"
    " with status 500.",
    lambda: OUT_OF_ORDER,
)
several(responses.after, on=HEALTH, when=is_deep)(
    "deep-json-ends-health (ROB-08): After JSON that is nested thousands of levels deep GET /health is answered with"
    " status 500.",
    lambda: OUT_OF_ORDER,
)
several(responses.after, on=HEALTH, when=is_long)(
    "long-prompt-ends-health (ROB-10): After a prompt of a megabyte GET /health is answered with status 500.",
    lambda: OUT_OF_ORDER,
)
several(requests.refused, after=(Code.WRONG_TYPE,))(
    "refusal-spoils-the-next (ERR-06): The first generation after a field of a wrong type is answered with status 500.",
    lambda: APIError(500, "the engine is in a bad state"),
    "refusal-keeps-the-lock (ERR-06): The first generation after a field of a wrong type ends with an error event.",
    lambda: in_stream({"type": "error", "message": "the engine is locked"}),
)


# What is no HTTP


class Obliging(HttpProtocol):
    """Answers bytes that are not HTTP as if they were a request for /health."""

    alteration: FaultHooks

    def send_400_response(self, msg: str) -> None:
        self.alteration.happened()
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


@fault("garbage-gets-200", "Bytes that are not HTTP get status 200.", layer=Layer.REQUEST, breaks=("ROB-09",))
class GarbageGets200(FaultHooks):
    def __init__(self, place: Trigger | None = None) -> None:
        super().__init__(place)
        self.http = type("Counted", (Obliging,), {"alteration": self})
