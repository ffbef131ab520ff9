"""Faults of refusals: statuses, media types and envelopes that are not as the contract says."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import Scope

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.middleware import Reply, RewriteResponse
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code

REQUEST = Layer.REQUEST
OPERATIONS = ("/generate", "/upscale")


class Reworded(RewriteResponse):
    """Another answer in place of a refusal with 400 or a failure with 500 of the API."""

    paths: tuple[str, ...] = OPERATIONS
    statuses: tuple[int, ...] = (400, 500)

    def __init__(self, place: Trigger | None, change: Callable[[Reply], Reply]) -> None:
        super().__init__(place)
        self.change = change

    def rewritten(self, reply: Reply, scope: Scope) -> Reply:
        return self.change(reply)


def reworded(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    change: Callable[[Reply], Reply],
) -> None:
    """Registers a fault of error answers."""
    fault(name, sentence, layer=REQUEST, breaks=breaks)(partial(Reworded, change=change))


def _typed(kind: str) -> Callable[[Reply], Reply]:
    return lambda reply: Reply.of(reply.status, kind, reply.body, *reply.without(b"content-type").headers)


def _enveloped(change: Callable[[str, str], Any]) -> Callable[[Reply], Reply]:
    """Another JSON document made of message and type."""

    def changed(reply: Reply) -> Reply:
        error = reply.json["error"]
        document = change(error["message"], error["type"])
        return Reply.of_json(reply.status, document, *reply.without(b"content-type").headers)

    return changed


def _page(reply: Reply) -> Reply:
    return Reply.of(reply.status, "text/html", b"<html><body><h1>Bad Request</h1></body></html>")


def _retyped(kind: Callable[[str], str]) -> Callable[[Reply], Reply]:
    return _enveloped(lambda message, type: {"error": {"message": message, "type": kind(type)}})


SWAPPED = {"request_error": "server_error", "server_error": "request_error"}

reworded("errors-as-text", "Error answers say that they are text/plain.", ("ERR-01",), _typed("text/plain"))
reworded("errors-as-pages", "Error answers are HTML pages.", ("ERR-01", "ERR-02"), _page)
reworded(
    "error-flat",
    "In error answers `error` is a text.",
    ("ERR-02",),
    _enveloped(lambda message, type: {"error": message}),
)
reworded(
    "error-message-empty",
    "The message of error answers is empty.",
    ("ERR-02",),
    _enveloped(lambda message, type: {"error": {"message": "", "type": type}}),
)
reworded(
    "error-body-empty",
    "Error answers have no body.",
    ("ERR-02",),
    lambda reply: Reply(reply.status, reply.headers),
)
reworded(
    "error-type-swapped",
    "Refusals are called server_error.",
    ("ERR-03",),
    _retyped(lambda type: SWAPPED.get(type, type)),
)
reworded(
    "error-type-invented",
    "The type of error answers is invalid_request_error.",
    ("ERR-03",),
    _retyped(lambda type: "invalid_request_error"),
)


@fault(
    "not-found-bare",
    "Answers with 404 and 405 have no body.",
    layer=REQUEST,
    breaks=("ERR-04",),
)
class NotFoundBare(RewriteResponse):
    statuses: tuple[int, ...] = (404, 405)

    def rewritten(self, reply: Reply, scope: Scope) -> Reply:
        return Reply(reply.status, reply.without(b"content-type").headers)


class WithPage(APIError):
    """A refusal that is answered with another status and body."""

    def __init__(self, problem: APIError, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(status, problem.message, headers)
        self.page = body

    def body(self) -> bytes:
        return self.page


class ReplaceResponse(FaultHooks):
    """Answers a refusal of certain requests with something that is none."""

    def __init__(
        self,
        place: Trigger | None,
        meant: Callable[[APIError], bool],
        status: int,
        headers: dict[str, str],
        body: bytes,
    ) -> None:
        super().__init__(place)
        self.meant = meant
        self.answer = (status, headers, body)

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            if not self.meant(problem):
                raise
            self.happened()
            raise WithPage(problem, *self.answer) from None


def _no_prompt(problem: APIError) -> bool:
    return problem.field == "prompt" and problem.code is Code.MISSING


def _empty_prompt(problem: APIError) -> bool:
    return problem.field == "prompt" and problem.code is Code.EMPTY


fault(
    "failure-with-200",
    "A request without a prompt gets status 200 and an error envelope.",
    layer=REQUEST,
    breaks=("GEN-REQ-01", "GEN-EVT-20"),
)(
    partial(
        ReplaceResponse,
        meant=_no_prompt,
        status=200,
        headers={},
        body=json.dumps({"error": {"message": "prompt: missing", "type": "request_error"}}).encode(),
    )
)
fault(
    "refused-by-redirect",
    "An empty prompt is answered with a redirect to a page of help.",
    layer=REQUEST,
    breaks=("GEN-REQ-06", "GEN-EVT-20"),
)(partial(ReplaceResponse, meant=_empty_prompt, status=302, headers={"Location": "/help"}, body=b""))
fault(
    "bad-utf8-500-bare",
    "A body that is not UTF-8 is answered with status 500 and no body.",
    layer=REQUEST,
    breaks=("ERR-08",),
)(
    partial(
        ReplaceResponse,
        meant=lambda problem: problem.code is Code.NOT_UTF8,
        status=500,
        headers={},
        body=b"",
    )
)


class Streamed(APIError):
    """A refusal as an error event in a stream."""

    def __init__(self, message: str, data: str = "") -> None:
        super().__init__(200, message, {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        self.data = data or json.dumps({"type": "error", "message": message})

    def body(self) -> bytes:
        return f"event: error\ndata: {self.data}\n\n".encode()


class EmptyPrompt(FaultHooks):
    """Refuses an empty prompt by an error event."""

    def __init__(self, place: Trigger | None, data: str) -> None:
        super().__init__(place)
        self.data = data

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            if not _empty_prompt(problem):
                raise
            self.happened()
            raise Streamed(problem.message, self.data) from None


fault(
    "error-without-message",
    "An empty prompt is refused by an error event that has no message.",
    layer=Layer.EVENT,
    breaks=("GEN-EVT-18", "GEN-REQ-07"),
)(partial(EmptyPrompt, data='{"type":"error"}'))
fault(
    "error-message-null",
    "An empty prompt is refused by an error event whose message is null.",
    layer=Layer.EVENT,
    breaks=("GEN-EVT-18", "GEN-REQ-07"),
)(partial(EmptyPrompt, data='{"type":"error","message":null}'))
