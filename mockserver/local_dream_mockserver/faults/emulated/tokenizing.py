"""POST /tokenize of the recorded releases."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from local_dream_mockserver.faults.emulated.conversions import text_of
from local_dream_mockserver.faults.emulated.json_library import JsonFailure, dumped, no_object, parsed
from local_dream_mockserver.faults.emulated.reader import Refusal
from local_dream_mockserver.faults.middleware import Reply, lowered, without

EMPTY = 2
"""Tokens of an empty prompt: the marks of its beginning and end."""
WINDOW = 77


def prompt_of(body: bytes) -> str:
    """The prompt, "" where there is none. Raises Refusal."""
    try:
        document = parsed(body)
        if not isinstance(document, dict):
            raise no_object(document)
        return text_of(document.get("prompt", ""))
    except JsonFailure as failure:
        raise Refusal(400, failure.message, "tokenize_error") from None


async def count(app: ASGIApp, scope: Scope, prompt: str, *, overflow: bool) -> Reply | None:
    """The answer, for which the honest server counts the prompt; None where it does not count."""
    honest = await reply_of(app, scope, json.dumps({"prompt": prompt}).encode())
    if honest.status != 200:
        return None
    found: dict[str, Any] = honest.json
    if not overflow:
        found.pop("overflow_offset", None)
    return compact(found)


def compact(value: dict[str, Any]) -> Reply:
    """An answer as the JSON library writes it."""
    return Reply.of(200, "application/json", dumped(value))


async def reply_of(app: ASGIApp, scope: Scope, body: bytes) -> Reply:
    """What the application answers to the request with another body."""
    head: Message = {}
    answered = bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
        else:
            answered.extend(message.get("body", b""))

    headers = without(scope["headers"], b"content-length", b"content-encoding")
    await app({**scope, "headers": list(headers)}, receive, send)
    return Reply(head["status"], lowered(head["headers"]), bytes(answered))
