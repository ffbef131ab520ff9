"""Faults and quirks of which requests POST /generate takes, and how it refuses the others; and when."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from PIL import Image

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import overlap, requests
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import (
    AnyAnswer,
    Body,
    in_stream,
    sent,
    whatever,
    with_prompt,
    with_status,
    with_values,
    without,
)
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.image_input import decode_base64
from local_dream_mockserver.server.spec import fields_of, ids_of

NOT_JSON = (Code.MALFORMED_JSON, Code.JSON_TAIL, Code.JSON_CONSTANT)
EMPTY, MISSING, NO_OBJECT = (Code.EMPTY,), (Code.MISSING,), (Code.NOT_AN_OBJECT,)
ANYWHERE = ("GET", "POST", "HEAD", "DELETE", "PUT", "PATCH")
BRACKETS = re.compile(rb"\[{100,}\]{100,}")
BUSY = "busy with another request"
Why: TypeAlias = Callable[[Body], str]
"""Why a request is refused, "" where it is not."""


# Bodies that are not the JSON they must be

several(requests.taken, codes=NOT_JSON)(
    "malformed-json-taken (GEN-REQ-02): A body that is not well-formed JSON gets a picture of something.",
    lambda: whatever(),
)
several(requests.refusal, codes=NOT_JSON)(
    "malformed-json-500 (GEN-REQ-02): A body that is not well-formed JSON is answered with status 500.",
    lambda problem: with_status(problem, 500),
)
BEYOND_BASE64 = re.compile("[^A-Za-z0-9+/=]")


several(requests.taken, codes=(Code.NOT_BASE64,), field="image")(
    "base64-junk-skipped (GEN-REQ-12): What is no base64 in an image is skipped, and the rest is read.",
    lambda body: with_values(body, image=BEYOND_BASE64.sub("", sent(body)["image"])),
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


def the_only_one(body: bytes) -> bytes | None:
    """The JSON object in an array of one; None where it is not such an array."""
    match json.loads(body):
        case [dict(one)]:
            return json.dumps(one).encode()
    return None


several(requests.taken, codes=NO_OBJECT)(
    "no-object-taken (GEN-REQ-04): A body that is JSON but not an object gets a picture of something.",
    lambda: whatever(),
)
several(requests.taken, codes=NO_OBJECT)(
    "array-of-one-taken (GEN-REQ-04): An array with one request in it is taken for that request.",
    the_only_one,
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
    "nesting-flattened (quirk): JSON that is nested thousands of levels deep is taken.",
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
several(requests.refusal, codes=EMPTY, field="prompt", layer=Layer.EVENT)(
    "error-without-message (GEN-EVT-18, GEN-REQ-07): An empty prompt is refused by an error event that has no message.",
    lambda: in_stream({"type": "error"}),
    "error-message-null (GEN-EVT-18, GEN-REQ-07): An empty prompt is refused by an error event whose message is null.",
    lambda: in_stream({"type": "error", "message": None}),
)
several(requests.refusal, codes=EMPTY, field="prompt")(
    "empty-prompt-500 (GEN-REQ-06): An empty prompt is answered with status 500.",
    lambda problem: with_status(problem, 500),
    "refused-by-redirect (GEN-REQ-06, GEN-EVT-20): An empty prompt is answered with a redirect to a page of help.",
    lambda: AnyAnswer(302, b"", {"Location": "/help"}),
    "empty-prompt-in-the-stream (quirk, GEN-REQ-07): An empty prompt is refused by an error event.",
    lambda: in_stream({"type": "error", "message": "prompt empty"}),
)


# Single fields


def missing(name: str) -> Why:
    return lambda values: "" if name in values else f"{name}: missing; send it"


def null(*names: str) -> Why:
    return lambda values: next((f"{name}: null; leave it out" for name in names if values.get(name, 0) is None), "")


def scheduler(name: str) -> Why:
    return lambda values: f"scheduler: no {name} here" if values.get("scheduler") == name else ""


def of_magic(magic: str) -> Why:
    """Whether the base64 of the image begins with these letters, as those of one format do."""
    return lambda values: "image: not of this format" if str(values.get("image")).startswith(magic) else ""


def unknown(values: Body) -> str:
    return next((f"{name!a}: there is no such field" for name in values if name not in fields_of()), "")


def stride_zero(values: Body) -> str:
    return "show_diffusion_stride: 0 is out of range" if values.get("show_diffusion_stride") == 0 else ""


def unfit(values: Body, request: GenerationRequest) -> str:
    image = values.get("image")
    if not isinstance(image, str):
        return ""
    with Image.open(io.BytesIO(decode_base64("image", image))) as file:
        fits = file.size == (request.width, request.height)
    return "" if fits else "image: not of the size width x height; send one that is"


several(requests.refused)(
    "steps-required (GEN-REQ-05): A request without steps is refused.",
    missing("steps"),
    "seed-required (GEN-REQ-05): A request without seed is refused.",
    missing("seed"),
    "width-required (GEN-REQ-05): A request without width is refused.",
    missing("width"),
    "unknown-fields-refused (GEN-REQ-08): Fields that the contract does not name are refused.",
    unknown,
    "nulls-refused (GEN-REQ-11): Null is refused in every optional field but image and mask.",
    null(*sorted({*fields_of()} - {"prompt", "image", "mask"})),
    "jpeg-images-refused (GEN-REQ-17): Images as JPEG are refused.",
    of_magic("/9j/"),
    "png-images-refused (GEN-REQ-27, GEN-REQ-28): Images as PNG are refused.",
    of_magic("iVBOR"),
    "image-must-fit (GEN-REQ-18): An image of another size than the picture's is refused.",
    unfit,
    "dpm-refused (GEN-REQ-20): The scheduler dpm is refused where it is named.",
    scheduler("dpm"),
    "euler-a-refused (GEN-REQ-20): The scheduler euler_a is refused.",
    scheduler("euler_a"),
    "idle-stride-zero-refused (GEN-REQ-21): A stride of 0 is refused although no previews are asked for.",
    stride_zero,
    "seed-of-31-bits (GEN-REQ-22): Seeds above 2147483647 are refused.",
    lambda values, request: "seed: too large" if request.seed >= 2**31 and values.get("seed") is not None else "",
)
for _field in ("image", "mask"):
    for _status in (400, 500):
        several(requests.refused, ids_of(_field)["null"], status=_status)(
            f"null-{_field}-{_status}: {_field.capitalize()} sent as null is answered with status {_status}.",
            null(_field),
        )
several(requests.refused, status=500)(
    "unknown-fields-500 (GEN-REQ-08): Fields that the contract does not name are answered with status 500.",
    unknown,
    "image-must-fit-500 (GEN-REQ-18): An image of another size than the picture's is answered with status 500.",
    unfit,
    "idle-stride-zero-500 (GEN-REQ-21): A stride of 0 is answered with status 500 although no previews are asked for.",
    stride_zero,
)


@requests.values("GEN-REQ-11")
def nulls_are_zero(values: Body) -> Body:
    """Null in a field of a number is read as the least that it allows."""
    least = {"steps": 1, "cfg": 0.0, "seed": 0, "denoise_strength": 0.0}
    return {name: least.get(name) if value is None else value for name, value in values.items()}


several(requests.accepted)(
    "seeds-above-31-bits (quirk): The seeds that the server picks are all above 2147483647.",
    lambda request, values: request if values.get("seed") is not None else replace(request, seed=request.seed | 2**31),
)


# Pictures

for _field in ("image", "mask"):
    for _code, _keyword in ((Code.NOT_BASE64, "contentEncoding"), (Code.NOT_A_PICTURE, "contentMediaType")):
        _id, _what = ids_of(_field)[_keyword], f"{_field.capitalize()} that is {_code.replace('-', ' ')}"
        several(requests.taken, _id, codes=(_code,), field=_field)(
            f"{_field}-{_code}-ignored: {_what} is taken for none.",
            lambda body, problem: without(body, problem.field),
        )
        several(requests.refusal, _id, codes=(_code,), field=_field)(
            f"{_field}-{_code}-500: {_what} is answered with status 500.",
            lambda problem: with_status(problem, 500),
        )


several(requests.taken, codes=(Code.MISSING,), field="image")(
    "mask-alone-taken (GEN-REQ-16): A mask without an image is taken as if it were not there.",
    lambda body: without(body, "mask"),
    "lone-mask-ignored (quirk, GEN-REQ-16): A mask without an image is ignored.",
    lambda body: without(body, "mask"),
)


@requests.refused(always=True, quirk=True)
def text_to_image_only(values: Body) -> str:
    """Images and masks are refused.

    A suite that is told so sends none: each request counts.
    """
    sent = values.get("image") is not None or values.get("mask") is not None
    return "image: this model makes pictures from text alone; leave it out" if sent else ""


# What there is at all, and when

several(requests.received, on=("/generate",), methods=ANYWHERE)(
    "upscaler-only (quirk): There is no /generate.",
    lambda request: replace(request, path="/generate/"),
)
several(requests.received, on=("/upscale",), methods=ANYWHERE)(
    "generator-only (quirk): There is no /upscale.",
    lambda request: replace(request, path="/upscale/"),
)


several(overlap.second)(
    "busy-409 (quirk): A second generation while one runs is refused with status 409.",
    lambda: APIError(409, BUSY),
    "busy-429 (quirk): A second generation while one runs is refused with status 429.",
    lambda: APIError(429, BUSY, {"Retry-After": "1"}),
    "busy-503 (quirk): A second generation while one runs is refused with status 503.",
    lambda: APIError(503, BUSY, {"Retry-After": "1"}),
)


@requests.refusal(quirk=True)
def slow_to_refuse(problem: APIError) -> APIError:
    """Refusals come a tenth of a second late."""
    time.sleep(0.1)
    return with_status(problem, problem.status)


several(requests.values)(
    "formats-ignored (EXT-FMT-01): The fields output_format and preview_format have no effect.",
    lambda values: {name: value for name, value in values.items() if name not in ("output_format", "preview_format")},
)
