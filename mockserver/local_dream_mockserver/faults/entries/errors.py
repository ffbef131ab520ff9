"""Faults and quirks of /health, of paths and methods that the API does not have, and of error answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.types import Scope

from local_dream_mockserver.faults.effects import overlap, responses
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.middleware import Reply, value_of

HEALTH = ("/health",)
READ = ("GET", "HEAD")
OK = (200,)
OPERATIONS = ("/generate", "/upscale")
FAILED = (400, 500)
ANYONE = (b"access-control-allow-origin", b"*")
EXPOSED = (b"access-control-expose-headers", b"X-Output-Width,X-Output-Height,X-Duration-Ms")
PAGE = Reply.of(200, "text/html", b"<!doctype html><title>Local Dream</title>")


# /health


def is_stranger(scope: Scope) -> bool:
    """Whether a request comes without credentials."""
    return not value_of(scope["headers"], b"authorization")


several(responses.instead, on=HEALTH)(
    "health-401-to-strangers (HLT-02): GET /health without an Authorization header is answered with status 401.",
    lambda scope: Reply.of_error(401, "who are you?", (b"www-authenticate", b"Bearer")) if is_stranger(scope) else None,
    "health-sends-strangers-away (HLT-02): GET /health without an Authorization header is answered with a redirect.",
    lambda scope: Reply(302, ((b"location", b"/login"),)) if is_stranger(scope) else None,
)


@overlap.health("HLT-03")
async def health_waits(running: Callable[[], bool]) -> None:
    """GET /health is answered only when no generation runs."""
    while running():
        await asyncio.sleep(0.01)


@overlap.health("HLT-03")
async def health_busy() -> Reply:
    """GET /health is answered with status 503 while a generation runs."""
    return Reply.of_error(503, "busy")


several(responses.instead, on=HEALTH, methods=("HEAD",))(
    "head-refused (HLT-04): HEAD /health is answered with status 405.",
    lambda: Reply.of_error(405, "use GET", (b"allow", b"GET")),
)
several(responses.rewrite, on=HEALTH, methods=READ, statuses=OK)(
    "health-503 (HLT-01): GET /health is answered with status 503.",
    lambda: Reply.of_error(503, "starting"),
    "health-404 (HLT-01): There is no /health.",
    lambda: Reply.of_error(404, "there is no /health"),
    "health-says-ok (quirk): The body of GET /health says OK.",
    lambda: Reply.of(200, "text/plain", b"OK"),
    "health-says-json (quirk): The body of GET /health is a JSON document about the server.",
    lambda: Reply.of_json(200, {"status": "ok", "model": "m", "queue": 0}),
)


# Paths and methods

several(responses.rewrite, statuses=(405,))(
    "wrong-method-404 (quirk, SRV-03): A method that a path does not have is answered with status 404.",
    lambda: Reply.of_error(404, "no such path"),
    "get-shows-a-page (SRV-02): A method that a path does not have is answered with a web page.",
    lambda: PAGE,
    "wrong-method-500 (SRV-02): A method that a path does not have is answered with status 500.",
    lambda: Reply.of_error(500, "no such method"),
    "allow-missing (SRV-03): Status 405 comes without an Allow header.",
    lambda reply: reply.without(b"allow"),
)
several(responses.rewrite, statuses=(404, 405))(
    "not-found-bare (ERR-04): Answers with 404 and 405 have no body.",
    lambda reply: Reply(reply.status, reply.without(b"content-type").headers),
)
several(responses.rewrite, statuses=(404,))(
    "every-path-is-found (SRV-01): Every path that the API does not have is answered with a web page.",
    lambda: PAGE,
    "unknown-path-400 (SRV-01): A path that the API does not have is answered with status 400.",
    lambda: Reply.of_error(400, "no such path"),
    "bare-404 (quirk, ERR-04): Answers with 404 have no body.",
    lambda: Reply(404),
)


# Media type and envelope


def enveloped(reply: Reply, error: Any) -> Reply:
    """Another value for `error`."""
    return Reply.of_json(reply.status, {"error": error}, *reply.without(b"content-type").headers)


@responses.rewrite("ERR-03", on=OPERATIONS, statuses=FAILED)
def error_type_swapped(reply: Reply) -> Reply:
    """Refusals are called server_error."""
    error = reply.json["error"]
    swapped = {"request_error": "server_error", "server_error": "request_error"}
    return enveloped(reply, {**error, "type": swapped.get(error["type"], error["type"])})


several(responses.rewrite, on=OPERATIONS, statuses=FAILED)(
    "errors-as-text (ERR-01): Error answers say that they are text/plain.",
    lambda reply: Reply.of(reply.status, "text/plain", reply.body, *reply.without(b"content-type").headers),
    "errors-as-pages (ERR-01, ERR-02): Error answers are HTML pages.",
    lambda reply: Reply.of(reply.status, "text/html", b"<html><body><h1>Bad Request</h1></body></html>"),
    "error-flat (ERR-02): In error answers `error` is a text.",
    lambda reply: enveloped(reply, reply.json["error"]["message"]),
    "error-message-empty (ERR-02): The message of error answers is empty.",
    lambda reply: enveloped(reply, {**reply.json["error"], "message": ""}),
    "error-body-empty (ERR-02): Error answers have no body.",
    lambda reply: Reply(reply.status, reply.headers),
    "error-type-invented (ERR-03): The type of error answers is invalid_request_error.",
    lambda reply: enveloped(reply, {**reply.json["error"], "type": "invalid_request_error"}),
)


def cut_to_characters(text: str) -> bytes:
    """As many bytes of a text as it has characters."""
    return text.encode()[: len(text)]


@responses.rewrite("ERR-02", on=OPERATIONS, statuses=FAILED)
def error_length_in_characters(reply: Reply) -> Reply:
    """Error answers have a message in Korean, and their Content-Length counts characters in place of bytes."""
    told = {**reply.json["error"], "message": "잘못된 요청"}
    text = json.dumps({"error": told}, ensure_ascii=False)
    return Reply.of(reply.status, "application/json", cut_to_characters(text), *reply.without(b"content-type").headers)


@responses.rewrite(on=OPERATIONS, statuses=FAILED, quirk=True)
def wordy_errors(reply: Reply) -> Reply:
    """Error answers have further keys, line ends and a message in Korean."""
    error = reply.json["error"]
    wordy = {"message": f"잘못된 요청: {error['message']}", "type": error["type"], "param": None}
    text = json.dumps({"error": wordy, "ok": False}, ensure_ascii=False, indent=1)
    return Reply.of(reply.status, "application/json; charset=utf-8", text.encode())


several(responses.rewrite, statuses=(400, 404, 405, 413, 415, 500, 503))(
    "errors-close (quirk): Error answers close the connection, and say so.",
    lambda reply: reply.plus((b"connection", b"close")),
)
several(responses.headers, everywhere=True)(
    "cors-everywhere (quirk): Every answer carries CORS headers.",
    lambda status, headers: (status, (*headers, ANYONE, EXPOSED)),
)
