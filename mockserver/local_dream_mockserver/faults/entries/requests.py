"""Faults and quirks of which requests POST /generate takes, and how it refuses the others; and when."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import overlap, requests
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import (
    AnyAnswer,
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

several(requests.taken, codes=NOT_JSON)(
    "malformed-json-taken (GEN-REQ-02): A body that is not well-formed JSON gets a picture of something.",
    lambda: whatever(),
)
several(requests.refusal, codes=NOT_JSON)(
    "malformed-json-500 (GEN-REQ-02): A body that is not well-formed JSON is answered with status 500.",
    lambda problem: with_status(problem, 500),
)
several(requests.taken, codes=(Code.JSON_TAIL,))(
    "json-tail-ignored (GEN-REQ-02): What follows the JSON object in a body is not looked at.",
    lambda body: json.dumps(json.JSONDecoder().raw_decode(body.decode())[0]).encode(),
)
several(requests.taken, codes=(Code.JSON_CONSTANT,))(
    "nan-taken (GEN-REQ-02): NaN is taken for a number in the body.",
    lambda body: body.replace(b"NaN", b"7.5"),
)
several(requests.taken, codes=EMPTY, field="body")(
    "empty-body-taken (GEN-REQ-03): An empty body gets a picture of something.",
    lambda: whatever(),
)
several(requests.refusal, codes=EMPTY, field="body")(
    "empty-body-411 (GEN-REQ-03): An empty body is refused with status 411.",
    lambda problem: with_status(problem, 411),
)
several(requests.taken, codes=NO_OBJECT)(
    "no-object-taken (GEN-REQ-04): A body that is JSON but not an object gets a picture of something.",
    lambda: whatever(),
)
several(requests.refusal, codes=NO_OBJECT)(
    "no-object-500 (GEN-REQ-04): A body that is JSON but not an object is answered with status 500.",
    lambda problem: with_status(problem, 500),
)
several(requests.taken, codes=(Code.NOT_UTF8,))(
    "utf8-mended (ERR-07): Bytes that are not UTF-8 are replaced, and the body is taken.",
    lambda body: body.decode("utf-8", "replace").encode(),
    "latin1-taken (ERR-07): A body that is not UTF-8 is read as Latin-1.",
    lambda body: body.decode("latin-1").encode(),
)
several(requests.refusal, codes=(Code.NOT_UTF8,))(
    "bad-utf8-500-bare (ERR-08): A body that is not UTF-8 is answered with status 500 and no body.",
    lambda: AnyAnswer(500, b""),
)
several(requests.taken, codes=(Code.JSON_TOO_DEEP,))(
    "nesting-flattened (ROB-08): JSON that is nested thousands of levels deep is taken.",
    lambda body: BRACKETS.sub(b"[]", body),
)


# The prompt

several(requests.taken, codes=MISSING, field="prompt")(
    "prompt-optional (GEN-REQ-01): A request without a prompt gets a picture of something.",
    with_prompt,
)
several(requests.taken, codes=EMPTY, field="prompt")(
    "empty-prompt-painted (GEN-REQ-06): An empty prompt gets a picture of something.",
    with_prompt,
)
several(requests.refusal, codes=MISSING, field="prompt")(
    "prompt-missing-422 (GEN-REQ-01): A request without a prompt is refused with status 422.",
    lambda problem: with_status(problem, 422),
    "failure-with-200 (GEN-REQ-01, GEN-EVT-20): A request without a prompt gets status 200 and an error envelope.",
    lambda: AnyAnswer(200, APIError(400, "prompt: missing").body()),
)
several(requests.refusal, codes=EMPTY, field="prompt")(
    "empty-prompt-500 (GEN-REQ-06): An empty prompt is answered with status 500.",
    lambda problem: with_status(problem, 500),
    "refused-by-redirect (GEN-REQ-06, GEN-EVT-20): An empty prompt is answered with a redirect to a page of help.",
    lambda: AnyAnswer(302, b"", {"Location": "/help"}),
)
several(requests.refusal, codes=EMPTY, field="prompt", layer=Layer.EVENT)(
    "error-without-message (GEN-EVT-18, GEN-REQ-07): An empty prompt is refused by an error event that has no message.",
    lambda: in_stream({"type": "error"}),
    "error-message-null (GEN-EVT-18, GEN-REQ-07): An empty prompt is refused by an error event whose message is null.",
    lambda: in_stream({"type": "error", "message": None}),
)
several(requests.refusal, codes=EMPTY, field="prompt", quirk=True)(
    "empty-prompt-in-the-stream (GEN-REQ-07): An empty prompt is refused by an error event.",
    lambda: in_stream({"type": "error", "message": "prompt empty"}),
)


# What there is at all, and when

several(requests.received, on=("/generate",), methods=ANYWHERE, quirk=True)(
    "upscaler-only: There is no /generate.",
    lambda request: replace(request, path="/generate/"),
)
several(requests.received, on=("/upscale",), methods=ANYWHERE, quirk=True)(
    "generator-only: There is no /upscale.",
    lambda request: replace(request, path="/upscale/"),
)


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

several(requests.values, extensions=("formats",))(
    "formats-ignored (EXT-FMT-01): The fields output_format and preview_format have no effect.",
    lambda values: {name: value for name, value in values.items() if name not in ("output_format", "preview_format")},
)
