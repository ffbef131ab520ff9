"""Faults and quirks of which requests POST /generate takes, and how it refuses the others; and when."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import overlap, requests
from local_dream_mockserver.faults.effects.requests import (
    AnyAnswer,
    Body,
    Incoming,
    in_stream,
    whatever,
    with_prompt,
    with_status,
)
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code

NOT_JSON = (Code.MALFORMED_JSON, Code.JSON_TAIL, Code.JSON_CONSTANT)
EMPTY, MISSING, NO_OBJECT = (Code.EMPTY,), (Code.MISSING,), (Code.NOT_AN_OBJECT,)
ANYWHERE = ("GET", "POST", "HEAD", "DELETE", "PUT", "PATCH")
BRACKETS = re.compile(rb"\[{100,}\]{100,}")


# Bodies that are not the JSON they must be


@requests.taken("GEN-REQ-02", codes=NOT_JSON)
def malformed_json_taken() -> bytes:
    """A body that is not well-formed JSON gets a picture of something."""
    return whatever()


@requests.refusal("GEN-REQ-02", codes=NOT_JSON)
def malformed_json_500(problem: APIError) -> APIError:
    """A body that is not well-formed JSON is answered with status 500."""
    return with_status(problem, 500)


@requests.taken("GEN-REQ-02", codes=(Code.JSON_TAIL,))
def json_tail_ignored(body: bytes) -> bytes:
    """What follows the JSON object in a body is not looked at."""
    return json.dumps(json.JSONDecoder().raw_decode(body.decode())[0]).encode()


@requests.taken("GEN-REQ-02", codes=(Code.JSON_CONSTANT,))
def nan_taken(body: bytes) -> bytes:
    """NaN is taken for a number in the body."""
    return body.replace(b"NaN", b"7.5")


@requests.taken("GEN-REQ-03", codes=EMPTY, field="body")
def empty_body_taken() -> bytes:
    """An empty body gets a picture of something."""
    return whatever()


@requests.refusal("GEN-REQ-03", codes=EMPTY, field="body")
def empty_body_411(problem: APIError) -> APIError:
    """An empty body is refused with status 411."""
    return with_status(problem, 411)


@requests.taken("GEN-REQ-04", codes=NO_OBJECT)
def no_object_taken() -> bytes:
    """A body that is JSON but not an object gets a picture of something."""
    return whatever()


@requests.refusal("GEN-REQ-04", codes=NO_OBJECT)
def no_object_500(problem: APIError) -> APIError:
    """A body that is JSON but not an object is answered with status 500."""
    return with_status(problem, 500)


@requests.taken("ERR-07", codes=(Code.NOT_UTF8,))
def utf8_mended(body: bytes) -> bytes:
    """Bytes that are not UTF-8 are replaced, and the body is taken."""
    return body.decode("utf-8", "replace").encode()


@requests.taken("ERR-07", codes=(Code.NOT_UTF8,))
def latin1_taken(body: bytes) -> bytes:
    """A body that is not UTF-8 is read as Latin-1."""
    return body.decode("latin-1").encode()


@requests.refusal("ERR-08", codes=(Code.NOT_UTF8,))
def bad_utf8_500_bare() -> APIError:
    """A body that is not UTF-8 is answered with status 500 and no body."""
    return AnyAnswer(500, b"")


@requests.taken(codes=(Code.JSON_TOO_DEEP,), quirk=True)
def nesting_flattened(body: bytes) -> bytes:
    """JSON that is nested thousands of levels deep is taken."""
    return BRACKETS.sub(b"[]", body)


# The prompt


@requests.taken("GEN-REQ-01", codes=MISSING, field="prompt")
def prompt_optional(body: bytes) -> bytes:
    """A request without a prompt gets a picture of something."""
    return with_prompt(body)


@requests.refusal("GEN-REQ-01", codes=MISSING, field="prompt")
def prompt_missing_422(problem: APIError) -> APIError:
    """A request without a prompt is refused with status 422."""
    return with_status(problem, 422)


@requests.taken("GEN-REQ-06", codes=EMPTY, field="prompt")
def empty_prompt_painted(body: bytes) -> bytes:
    """An empty prompt gets a picture of something."""
    return with_prompt(body)


@requests.refusal("GEN-REQ-06", codes=EMPTY, field="prompt")
def empty_prompt_500(problem: APIError) -> APIError:
    """An empty prompt is answered with status 500."""
    return with_status(problem, 500)


@requests.refusal("GEN-REQ-01", "GEN-EVT-20", codes=MISSING, field="prompt")
def failure_with_200() -> APIError:
    """A request without a prompt gets status 200 and an error envelope."""
    return AnyAnswer(200, APIError(400, "prompt: missing").body())


@requests.refusal("GEN-REQ-06", "GEN-EVT-20", codes=EMPTY, field="prompt")
def refused_by_redirect() -> APIError:
    """An empty prompt is answered with a redirect to a page of help."""
    return AnyAnswer(302, b"", {"Location": "/help"})


@requests.refusal("GEN-EVT-18", "GEN-REQ-07", codes=EMPTY, field="prompt", layer=Layer.EVENT)
def error_without_message() -> APIError:
    """An empty prompt is refused by an error event that has no message."""
    return in_stream({"type": "error"})


@requests.refusal("GEN-EVT-18", "GEN-REQ-07", codes=EMPTY, field="prompt", layer=Layer.EVENT)
def error_message_null() -> APIError:
    """An empty prompt is refused by an error event whose message is null."""
    return in_stream({"type": "error", "message": None})


@requests.refusal("GEN-REQ-07", codes=EMPTY, field="prompt", quirk=True)
def empty_prompt_in_the_stream() -> APIError:
    """An empty prompt is refused by an error event."""
    return in_stream({"type": "error", "message": "prompt empty"})


# What there is at all, and when


@requests.received(on=("/generate",), methods=ANYWHERE, quirk=True)
def upscaler_only(request: Incoming) -> Incoming:
    """There is no /generate."""
    return replace(request, path="/generate/")


@requests.received(on=("/upscale",), methods=ANYWHERE, quirk=True)
def generator_only(request: Incoming) -> Incoming:
    """There is no /upscale."""
    return replace(request, path="/upscale/")


for _status in (409, 429, 503):

    def busy(request: GenerationRequest, status: int = _status) -> APIError:
        return APIError(status, "busy with another request", {} if status == 409 else {"Retry-After": "1"})

    overlap.second(
        name=f"busy-{_status}",
        sentence=f"A second generation while one runs is refused with status {_status}.",
        quirk=True,
    )(busy)


@requests.refusal(quirk=True)
def slow_to_refuse(problem: APIError) -> APIError:
    """Refusals come a tenth of a second late."""
    time.sleep(0.1)
    return with_status(problem, problem.status)


# Extensions


@requests.values("EXT-FMT-01", extensions=("formats",))
def formats_ignored(values: Body) -> Body:
    """The fields output_format and preview_format have no effect."""
    return {name: value for name, value in values.items() if name not in ("output_format", "preview_format")}
