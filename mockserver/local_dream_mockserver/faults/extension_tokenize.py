"""Faults of the extension tokenize: counts that are wrong, and refusals that are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.bodies import sent
from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.middleware import Reply, RequestMiddleware, body_of, reply_of
from local_dream_mockserver.faults.server import refusal
from local_dream_mockserver.proxy.trigger import Trigger

Answer = Callable[[Reply, Any], Reply]
"""The honest answer, and the prompt (None: there is none) to the answer that is sent."""


class Tokenized(RequestMiddleware):
    """Answers something else than the honest /tokenize."""

    paths: tuple[str, ...] = ("/tokenize",)
    methods: tuple[str, ...] = ("POST",)

    def __init__(self, place: Trigger | None, change: Answer) -> None:
        super().__init__(place)
        self.change = change

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(receive)
        honest = (await reply_of(app, scope, body)).without(b"content-length")
        reply = self.change(honest, sent(body).get("prompt"))
        if reply != honest:
            self.happened()
        await reply.send(send)


def _tokenized(name: str, sentence: str, id: str, change: Answer) -> None:
    fault(
        name,
        sentence,
        layer=Layer.EXTENSION,
        breaks=(id,),
        extensions=("tokenize",),
    )(partial(Tokenized, change=change))


def counted(change: Callable[[dict[str, Any], str], dict[str, Any]]) -> Answer:
    """Another document in place of a count."""

    def changed(reply: Reply, prompt: Any) -> Reply:
        if reply.status != 200:
            return reply
        return Reply.of_json(200, change(reply.json, prompt), *reply.without(b"content-type").headers)

    return changed


def _refused(change: Callable[[Reply], Reply]) -> Answer:
    """Another answer in place of refusals of bodies that are no JSON, and of prompts that are no string."""
    return lambda reply, prompt: change(reply) if reply.status == 400 and not _is_missing(reply) else reply


def _missing(answer: Reply) -> Answer:
    """Another answer where the prompt is missing."""
    return lambda reply, prompt: answer if _is_missing(reply) else reply


def _is_missing(reply: Reply) -> bool:
    return b"prompt: missing" in reply.body


def _overflow(units: Callable[[str], int]) -> Answer:
    """The offset counted in something else: `units` of the text before it."""

    def changed(count: dict[str, Any], prompt: str) -> dict[str, Any]:
        offset = count["overflow_offset"]
        if offset < 0:
            return count
        before = prompt.encode("utf-16-le")[: 2 * offset].decode("utf-16-le")
        return {**count, "overflow_offset": units(before)}

    return counted(changed)


NOTHING = Reply.of_json(200, {"count": 2, "max_length": 77, "overflow_offset": -1})
_tokenized("tokenize-404", "There is no /tokenize.", "EXT-TOK-01", lambda reply, prompt: refusal(404, "no such path"))
_tokenized(
    "tokenize-as-page",
    "Counts of /tokenize say that they are text/html.",
    "EXT-TOK-02",
    lambda reply, prompt: (
        Reply.of(200, "text/html", reply.body, *reply.without(b"content-type").headers)
        if reply.status == 200
        else reply
    ),
)
_tokenized(
    "max-length-as-text",
    "The max_length of /tokenize is a text of digits.",
    "EXT-TOK-02",
    counted(lambda count, prompt: {**count, "max_length": str(count["max_length"])}),
)
_tokenized(
    "max-length-zero",
    "The max_length of /tokenize is 0.",
    "EXT-TOK-02",
    counted(lambda count, prompt: {**count, "max_length": 0}),
)
_tokenized(
    "empty-prompt-uncounted",
    "An empty prompt is refused by /tokenize.",
    "EXT-TOK-02",
    lambda reply, prompt: refusal(400, "prompt: empty") if prompt == "" else reply,
)
_tokenized(
    "count-stops-at-max-length",
    "The count of /tokenize is never greater than max_length.",
    "EXT-TOK-03",
    counted(lambda count, prompt: {**count, "count": min(count["count"], count["max_length"])}),
)
_tokenized(
    "count-of-different-words",
    "A word that comes again in a prompt is not counted by /tokenize.",
    "EXT-TOK-03",
    counted(lambda count, prompt: {**count, "count": len(set(prompt.split())) + 2}),
)
_tokenized(
    "max-length-grows",
    "The max_length of /tokenize grows with the prompt.",
    "EXT-TOK-03",
    counted(lambda count, prompt: {**count, "max_length": max(77, -(-count["count"] // 77) * 77)}),
)
_tokenized(
    "overflow-in-bytes",
    "The overflow_offset counts bytes of UTF-8.",
    "EXT-TOK-04",
    _overflow(lambda before: len(before.encode())),
)
_tokenized("overflow-in-characters", "The overflow_offset counts characters.", "EXT-TOK-04", _overflow(len))
_tokenized("overflow-never", "The overflow_offset is -1 for every prompt.", "EXT-TOK-04", _overflow(lambda before: -1))
_tokenized(
    "overflow-null",
    "The overflow_offset is null where all fits.",
    "EXT-TOK-04",
    counted(lambda count, prompt: count if count["overflow_offset"] >= 0 else {**count, "overflow_offset": None}),
)
_tokenized(
    "tokenize-error-of-another-type",
    "Refusals of /tokenize are of type request_error.",
    "EXT-TOK-05",
    _refused(lambda reply: refusal(400, reply.json["error"]["message"])),
)
_tokenized(
    "tokenize-refuses-with-500",
    "What /tokenize cannot read is answered with status 500.",
    "EXT-TOK-05",
    _refused(lambda reply: refusal(500, "json.exception")),
)
_tokenized(
    "any-prompt-counted",
    "A prompt that is not a string, and a body that is not JSON, are counted as an empty prompt.",
    "EXT-TOK-05",
    _refused(lambda reply: NOTHING),
)
_tokenized("missing-prompt-counted", "A missing prompt is counted as an empty one.", "EXT-TOK-06", _missing(NOTHING))
_tokenized(
    "missing-prompt-500",
    "A missing prompt is answered by /tokenize with status 500.",
    "EXT-TOK-06",
    _missing(refusal(500, "json.exception")),
)
