"""Faults and quirks of /health, of paths and methods that the API does not have, and of error answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.types import Scope

from local_dream_mockserver.faults.effects import overlap, responses
from local_dream_mockserver.faults.effects.responses import Headers
from local_dream_mockserver.faults.middleware import Reply, value_of

HEALTH = ("/health",)
READ = ("GET", "HEAD")
OK = (200,)
OPERATIONS = ("/generate", "/upscale")
FAILED = (400, 500)
PAGE = Reply.of(200, "text/html", b"<!doctype html><title>Local Dream</title>")


# /health


@responses.rewrite("HLT-01", on=HEALTH, methods=READ, statuses=OK)
def health_503() -> Reply:
    """GET /health is answered with status 503."""
    return Reply.of_error(503, "starting")


@responses.rewrite("HLT-01", on=HEALTH, methods=READ, statuses=OK)
def health_404() -> Reply:
    """There is no /health."""
    return Reply.of_error(404, "there is no /health")


def is_stranger(scope: Scope) -> bool:
    """Whether a request comes without credentials."""
    return not value_of(scope["headers"], b"authorization")


@responses.instead("HLT-02", on=HEALTH)
def health_401_to_strangers(scope: Scope) -> Reply | None:
    """GET /health without an Authorization header is answered with status 401."""
    return Reply.of_error(401, "who are you?", (b"www-authenticate", b"Bearer")) if is_stranger(scope) else None


@responses.instead("HLT-02", on=HEALTH)
def health_sends_strangers_away(scope: Scope) -> Reply | None:
    """GET /health without an Authorization header is answered with a redirect."""
    return Reply(302, ((b"location", b"/login"),)) if is_stranger(scope) else None


@overlap.health("HLT-03")
async def health_waits(running: Callable[[], bool]) -> None:
    """GET /health is answered only when no generation runs."""
    while running():
        await asyncio.sleep(0.01)


@overlap.health("HLT-03")
async def health_busy() -> Reply:
    """GET /health is answered with status 503 while a generation runs."""
    return Reply.of_error(503, "busy")


@responses.instead("HLT-04", on=HEALTH, methods=("HEAD",))
def head_refused() -> Reply:
    """HEAD /health is answered with status 405."""
    return Reply.of_error(405, "use GET", (b"allow", b"GET"))


@responses.rewrite(on=HEALTH, methods=READ, statuses=OK, quirk=True)
def health_says_ok() -> Reply:
    """The body of GET /health says OK."""
    return Reply.of(200, "text/plain", b"OK")


@responses.rewrite(on=HEALTH, methods=READ, statuses=OK, quirk=True)
def health_says_json() -> Reply:
    """The body of GET /health is a JSON document about the server."""
    return Reply.of_json(200, {"status": "ok", "model": "m", "queue": 0})


# Paths and methods


@responses.rewrite("SRV-01", statuses=(404,))
def every_path_is_found() -> Reply:
    """Every path that the API does not have is answered with a web page."""
    return PAGE


@responses.rewrite("SRV-01", statuses=(404,))
def unknown_path_400() -> Reply:
    """A path that the API does not have is answered with status 400."""
    return Reply.of_error(400, "no such path")


@responses.rewrite("SRV-02", statuses=(405,))
def get_shows_a_page() -> Reply:
    """A method that a path does not have is answered with a web page."""
    return PAGE


@responses.rewrite("SRV-02", statuses=(405,))
def wrong_method_500() -> Reply:
    """A method that a path does not have is answered with status 500."""
    return Reply.of_error(500, "no such method")


@responses.rewrite("SRV-03", statuses=(405,), quirk=True)
def wrong_method_404() -> Reply:
    """A method that a path does not have is answered with status 404."""
    return Reply.of_error(404, "no such path")


@responses.rewrite("SRV-03", statuses=(405,))
def allow_missing(reply: Reply) -> Reply:
    """Status 405 comes without an Allow header."""
    return reply.without(b"allow")


@responses.rewrite("ERR-04", statuses=(404, 405))
def not_found_bare(reply: Reply) -> Reply:
    """Answers with 404 and 405 have no body."""
    return Reply(reply.status, reply.without(b"content-type").headers)


@responses.rewrite("ERR-04", statuses=(404,), quirk=True)
def bare_404() -> Reply:
    """Answers with 404 have no body."""
    return Reply(404)


# Media type and envelope


def enveloped(reply: Reply, error: Any) -> Reply:
    """Another value for `error`."""
    return Reply.of_json(reply.status, {"error": error}, *reply.without(b"content-type").headers)


@responses.rewrite("ERR-01", on=OPERATIONS, statuses=FAILED)
def errors_as_text(reply: Reply) -> Reply:
    """Error answers say that they are text/plain."""
    return Reply.of(reply.status, "text/plain", reply.body, *reply.without(b"content-type").headers)


@responses.rewrite("ERR-01", "ERR-02", on=OPERATIONS, statuses=FAILED)
def errors_as_pages(reply: Reply) -> Reply:
    """Error answers are HTML pages."""
    return Reply.of(reply.status, "text/html", b"<html><body><h1>Bad Request</h1></body></html>")


@responses.rewrite("ERR-02", on=OPERATIONS, statuses=FAILED)
def error_flat(reply: Reply) -> Reply:
    """In error answers `error` is a text."""
    return enveloped(reply, reply.json["error"]["message"])


@responses.rewrite("ERR-02", on=OPERATIONS, statuses=FAILED)
def error_message_empty(reply: Reply) -> Reply:
    """The message of error answers is empty."""
    return enveloped(reply, {**reply.json["error"], "message": ""})


@responses.rewrite("ERR-02", on=OPERATIONS, statuses=FAILED)
def error_body_empty(reply: Reply) -> Reply:
    """Error answers have no body."""
    return Reply(reply.status, reply.headers)


@responses.rewrite("ERR-03", on=OPERATIONS, statuses=FAILED)
def error_type_swapped(reply: Reply) -> Reply:
    """Refusals are called server_error."""
    error = reply.json["error"]
    swapped = {"request_error": "server_error", "server_error": "request_error"}
    return enveloped(reply, {**error, "type": swapped.get(error["type"], error["type"])})


@responses.rewrite("ERR-03", on=OPERATIONS, statuses=FAILED)
def error_type_invented(reply: Reply) -> Reply:
    """The type of error answers is invalid_request_error."""
    return enveloped(reply, {**reply.json["error"], "type": "invalid_request_error"})


@responses.rewrite(on=OPERATIONS, statuses=FAILED, quirk=True)
def wordy_errors(reply: Reply) -> Reply:
    """Error answers have further keys, line ends and a message in Korean."""
    error = reply.json["error"]
    wordy = {"message": f"잘못된 요청: {error['message']}", "type": error["type"], "param": None}
    text = json.dumps({"error": wordy, "ok": False}, ensure_ascii=False, indent=1)
    return Reply.of(reply.status, "application/json; charset=utf-8", text.encode())


@responses.rewrite(statuses=(400, 404, 405, 413, 415, 500, 503), quirk=True)
def errors_close(reply: Reply) -> Reply:
    """Error answers close the connection, and say so."""
    return reply.plus((b"connection", b"close"))


@responses.headers(everywhere=True, quirk=True)
def cors_everywhere(status: int, headers: Headers) -> tuple[int, Headers]:
    """Every answer carries CORS headers."""
    exposed = (b"access-control-expose-headers", b"X-Output-Width,X-Output-Height,X-Duration-Ms")
    return status, (*headers, (b"access-control-allow-origin", b"*"), exposed)
