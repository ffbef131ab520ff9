"""Faults and quirks of /health, of paths and methods that the API does not have, of error answers, and of servers that
end: what killed real ones, and what else programmers let happen."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Scope

from local_dream_mockserver.faults.effects import overlap, responses
from local_dream_mockserver.faults.effects.death import deadly, dies
from local_dream_mockserver.faults.effects.declare import several, where, whole
from local_dream_mockserver.faults.effects.requests import Incoming, received, sent, with_values
from local_dream_mockserver.faults.hooks import FaultHooks, Reader, hooked
from local_dream_mockserver.faults.middleware import Reply, value_of
from local_dream_mockserver.server.engine import GenerationRequest

HEALTH = ("/health",)
READ = ("GET", "HEAD")
OK = (200,)
OPERATIONS = ("/generate", "/upscale")
FAILED = (400, 500)
OTHER_TYPE = {"request_error": "server_error", "server_error": "request_error"}
BELOW = re.compile(r"^(/health|/generate)/.*")
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
    "head-refused (HLT-04): HEAD /health is answered with status 405.",
    where(lambda: Reply.of_error(405, "use GET", (b"allow", b"GET")), methods=("HEAD",)),
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

several(responses.rewrite)(
    "wrong-method-404 (quirk, SRV-03): A method that a path does not have is answered with status 404.",
    where(lambda: Reply.of_error(404, "no such path"), statuses=(405,)),
    "get-shows-a-page (SRV-02): A method that a path does not have is answered with a web page.",
    where(lambda: PAGE, statuses=(405,)),
    "wrong-method-500 (SRV-02): A method that a path does not have is answered with status 500.",
    where(lambda: Reply.of_error(500, "no such method"), statuses=(405,)),
    "allow-missing (SRV-03): Status 405 comes without an Allow header.",
    where(lambda reply: reply.without(b"allow"), statuses=(405,)),
    "not-found-bare (ERR-04): Answers with 404 and 405 have no body.",
    where(lambda reply: Reply(reply.status, reply.without(b"content-type").headers), statuses=(404, 405)),
    "every-path-is-found (SRV-01): Every path that the API does not have is answered with a web page.",
    where(lambda: PAGE, statuses=(404,)),
    "unknown-path-400 (SRV-01): A path that the API does not have is answered with status 400.",
    where(lambda: Reply.of_error(400, "no such path"), statuses=(404,)),
    "bare-404 (quirk, ERR-04): Answers with 404 have no body.",
    where(lambda: Reply(404), statuses=(404,)),
    "errors-close (quirk): Error answers close the connection, and say so.",
    where(lambda reply: reply.plus((b"connection", b"close")), statuses=(400, 404, 405, 413, 415, 500, 503)),
)
several(received)(
    "paths-below-found (SRV-01): Of a path that begins with /health/ or /generate/ the rest is not looked at.",
    lambda incoming: replace(incoming, path=BELOW.sub(r"\1", incoming.path)),
)
several(responses.headers, everywhere=True)(
    "cors-everywhere (quirk): Every answer carries CORS headers.",
    lambda status, headers: (status, (*headers, ANYONE, EXPOSED)),
)


# Media type and envelope


def enveloped(reply: Reply, error: Any) -> Reply:
    """Another value for `error`."""
    return Reply.of_json(reply.status, {"error": error}, *reply.without(b"content-type").headers)


def written(reply: Reply, kind: str, body: bytes) -> Reply:
    """The answer with another media type and body."""
    return Reply.of(reply.status, kind, body, *reply.without(b"content-type").headers)


several(responses.rewrite, on=OPERATIONS, statuses=FAILED)(
    "errors-as-text (ERR-01): Error answers say that they are text/plain.",
    lambda reply: written(reply, "text/plain", reply.body),
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
    "error-type-swapped (ERR-03): Refusals are called server_error.",
    lambda reply: enveloped(reply, {**reply.json["error"], "type": OTHER_TYPE[reply.json["error"]["type"]]}),
)


@responses.rewrite("ERR-02", on=OPERATIONS, statuses=FAILED)
def error_length_in_characters(reply: Reply) -> Reply:
    """Error answers have a message in Korean, and their Content-Length counts characters in place of bytes."""
    text = json.dumps({"error": {**reply.json["error"], "message": "잘못된 요청"}}, ensure_ascii=False)
    return written(reply, "application/json", text.encode()[: len(text)])


@responses.rewrite(on=OPERATIONS, statuses=FAILED, quirk=True)
def wordy_errors(reply: Reply) -> Reply:
    """Error answers have further keys, line ends and a message in Korean."""
    error = reply.json["error"]
    wordy = {"message": f"잘못된 요청: {error['message']}", "type": error["type"], "param": None}
    text = json.dumps({"error": wordy, "ok": False}, ensure_ascii=False, indent=1)
    return Reply.of(reply.status, "application/json; charset=utf-8", text.encode())


# Servers that end

SURVIVAL = "SRV-05"
DEFAULT_WIDTH = 512
MOMENT = 1.0
"""Seconds that a supervisor takes to start a server again."""


def _number(call: Incoming, field: str) -> float:
    value = call.fields.get(field)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _header(call: Incoming, name: str) -> int:
    """As std::stoi reads it, which fails for what is beyond 31 bits."""
    text = call.header(name)
    value = int(text) if text.removeprefix("-").isdigit() else 0
    return value if abs(value) < 2**31 else 0


several(dies, SURVIVAL)(
    "dies-of-a-wrong-type: The server ends on a request whose steps are a text.",
    lambda call: isinstance(call.fields.get("steps"), str),
    "dies-of-an-empty-body: The server ends on a POST /generate without a body.",
    lambda call: call.method == "POST" and call.path == "/generate" and not call.body,
    "dies-of-a-negative-size: The server ends on a negative width or height.",
    lambda call: min(_number(call, "width"), _number(call, "height")) < 0,
    "dies-of-an-upscale-too-large: The server ends on an upscale whose sides are numbers of 31 bits and whose size is"
    " beyond 32.",
    lambda call: _header(call, "x-image-width") * _header(call, "x-image-height") * 3 >= 2**32,
    "dies-and-comes-back: The server ends on JSON that breaks off, and its supervisor starts it again within a second.",
    where(lambda call: call.path == "/generate" and call.body[:1] == b"{" and call.body[-1:] != b"}", back=MOMENT),
    "dies-of-a-hang-up: The server ends when a client hangs up in mid-stream.",
    where(lambda call: call.path == "/generate", hang_up=True),
)


@whole(SURVIVAL, "GEN-RNG-03")
def dies_after_an_abandoned_picture() -> FaultHooks:
    """A width of 0 is taken for the default one; after a client has hung up on such a stream the next generation ends
    the server.

    As releases 2.3.3 and 2.4.3 do, whose requests share their state.
    """

    def read(hooks: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        if sent(body).get("width") != 0:
            return honest(body)
        hooks.happened()
        return honest(with_values(body, width=DEFAULT_WIDTH))

    def wrap(hooks: FaultHooks, app: ASGIApp) -> ASGIApp:
        def left(call: Incoming) -> bool:
            hooks.remembered = hooks.remembered or call.fields.get("width") == 0
            return False

        return deadly(app, hooks, of=lambda call: hooks.remembered and call.path == "/generate", of_hang_up=left)

    return hooked(None, read=read, wrap=wrap)
