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
from local_dream_mockserver.faults.effects import requests
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.requests import (
    AnyAnswer,
    Body,
    in_stream,
    left_out,
    sent,
    with_prompt,
    with_status,
    without,
)
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.image_input import decode_base64
from local_dream_mockserver.server.spec import fields_of, ids_of

NOT_JSON = (Code.MALFORMED_JSON, Code.JSON_TAIL, Code.JSON_CONSTANT)
EMPTY, MISSING, NO_OBJECT, NOT_UTF8 = (Code.EMPTY,), (Code.MISSING,), (Code.NOT_AN_OBJECT,), (Code.NOT_UTF8,)
BEYOND_BASE64 = re.compile("[^A-Za-z0-9+/=]")
BRACKETS = re.compile(rb"\[{100,}\]{100,}")
LEAST = {"steps": 1, "cfg": 0.0, "seed": 0, "denoise_strength": 0.0}
Why: TypeAlias = Callable[[Body], str]
"""Why a request is refused, "" where it is not."""


# What the refusals of the honest server are taken for: bodies that are not the JSON they must be, and the prompt


@requests.taken("GEN-REQ-04", codes=NO_OBJECT)
def array_of_one_taken(body: bytes) -> bytes | None:
    """An array with one request in it is taken for that request."""
    match json.loads(body):
        case [dict(one)]:
            return json.dumps(one).encode()
    return None


def without_mask(body: bytes) -> bytes:
    """The body without a mask."""
    return json.dumps(without(sent(body), "mask")).encode()


several(requests.taken)(
    "malformed-json-taken (GEN-REQ-02): A body that is not well-formed JSON gets a picture of something.",
    where(lambda: with_prompt(b""), codes=NOT_JSON),
    "json-tail-ignored (GEN-REQ-02): What follows the JSON object in a body is not looked at.",
    where(lambda body: json.dumps(json.JSONDecoder().raw_decode(body.decode())[0]).encode(), codes=(Code.JSON_TAIL,)),
    "nan-taken (GEN-REQ-02): NaN is taken for a number in the body.",
    where(lambda body: body.replace(b"NaN", b"7.5"), codes=(Code.JSON_CONSTANT,)),
    "empty-body-taken (GEN-REQ-03): An empty body gets a picture of something.",
    where(with_prompt, codes=EMPTY, fields=("body",)),
    "no-object-taken (GEN-REQ-04): A body that is JSON but not an object gets a picture of something.",
    where(with_prompt, codes=NO_OBJECT),
    "utf8-mended (ERR-07): Bytes that are not UTF-8 are replaced, and the body is taken.",
    where(lambda body: body.decode("utf-8", "replace").encode(), codes=NOT_UTF8),
    "latin1-taken (ERR-07): A body that is not UTF-8 is read as Latin-1.",
    where(lambda body: body.decode("latin-1").encode(), codes=NOT_UTF8),
    "nesting-flattened (quirk): JSON that is nested thousands of levels deep is taken.",
    where(lambda body: BRACKETS.sub(b"[]", body), codes=(Code.JSON_TOO_DEEP,)),
    "prompt-optional (GEN-REQ-01): A request without a prompt gets a picture of something.",
    where(with_prompt, codes=MISSING, fields=("prompt",)),
    "empty-prompt-painted (GEN-REQ-06): An empty prompt gets a picture of something.",
    where(with_prompt, codes=EMPTY, fields=("prompt",)),
    "mask-alone-taken (GEN-REQ-16): A mask without an image is taken as if it were not there.",
    where(without_mask, codes=MISSING, fields=("image",)),
    "lone-mask-ignored (quirk, GEN-REQ-16): A mask without an image is ignored.",
    where(without_mask, codes=MISSING, fields=("image",)),
)
several(requests.mended, codes=(Code.NOT_BASE64,), fields=("image",))(
    "base64-junk-skipped (GEN-REQ-12): What is no base64 in an image is skipped, and the rest is read.",
    lambda text: BEYOND_BASE64.sub("", text),
)
several(requests.refusal)(
    "malformed-json-500 (GEN-REQ-02): A body that is not well-formed JSON is answered with status 500.",
    where(with_status(500), codes=NOT_JSON),
    "empty-body-411 (GEN-REQ-03): An empty body is refused with status 411.",
    where(with_status(411), codes=EMPTY, fields=("body",)),
    "no-object-500 (GEN-REQ-04): A body that is JSON but not an object is answered with status 500.",
    where(with_status(500), codes=NO_OBJECT),
    "bad-utf8-500-bare (ERR-08): A body that is not UTF-8 is answered with status 500 and no body.",
    where(lambda: AnyAnswer(500, b""), codes=NOT_UTF8),
    "prompt-missing-422 (GEN-REQ-01): A request without a prompt is refused with status 422.",
    where(with_status(422), codes=MISSING, fields=("prompt",)),
    "failure-with-200 (GEN-REQ-01, GEN-EVT-20): A request without a prompt gets status 200 and an error envelope.",
    where(lambda: AnyAnswer(200, APIError(400, "prompt: missing").body()), codes=MISSING, fields=("prompt",)),
)
several(requests.refusal, codes=EMPTY, fields=("prompt",))(
    "error-without-message (GEN-EVT-18, GEN-REQ-07): An empty prompt is refused by an error event that has no message.",
    where(lambda: in_stream({"type": "error"}), layer=Layer.EVENT),
    "error-message-null (GEN-EVT-18, GEN-REQ-07): An empty prompt is refused by an error event whose message is null.",
    where(lambda: in_stream({"type": "error", "message": None}), layer=Layer.EVENT),
    "empty-prompt-500 (GEN-REQ-06): An empty prompt is answered with status 500.",
    with_status(500),
    "refused-by-redirect (GEN-REQ-06, GEN-EVT-20): An empty prompt is answered with a redirect to a page of help.",
    lambda: AnyAnswer(302, b"", {"Location": "/help"}),
    "empty-prompt-in-the-stream (quirk, GEN-REQ-07): An empty prompt is refused by an error event.",
    lambda: in_stream({"type": "error", "message": "prompt empty"}),
)


# Single fields


def null(*names: str) -> Why:
    return lambda values: next((f"{name}: null; leave it out" for name in names if values.get(name, 0) is None), "")


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
    lambda values: "steps" not in values and "steps: missing; send it",
    "seed-required (GEN-REQ-05): A request without seed is refused.",
    lambda values: "seed" not in values and "seed: missing; send it",
    "width-required (GEN-REQ-05): A request without width is refused.",
    lambda values: "width" not in values and "width: missing; send it",
    "unknown-fields-refused (GEN-REQ-08): Fields that the contract does not name are refused.",
    unknown,
    "nulls-refused (GEN-REQ-11): Null is refused in every optional field but image and mask.",
    null(*sorted({*fields_of()} - {"prompt", "image", "mask"})),
    "jpeg-images-refused (GEN-REQ-17): Images as JPEG are refused.",
    lambda values: str(values.get("image")).startswith("/9j/") and "image: not of this format",
    "png-images-refused (GEN-REQ-27, GEN-REQ-28): Images as PNG are refused.",
    lambda values: str(values.get("image")).startswith("iVBOR") and "image: not of this format",
    "image-must-fit (GEN-REQ-18): An image of another size than the picture's is refused.",
    unfit,
    "dpm-refused (GEN-REQ-20): The scheduler dpm is refused where it is named.",
    lambda values: values.get("scheduler") == "dpm" and "scheduler: no dpm here",
    "euler-a-refused (GEN-REQ-20): The scheduler euler_a is refused.",
    lambda values: values.get("scheduler") == "euler_a" and "scheduler: no euler_a here",
    "idle-stride-zero-refused (GEN-REQ-21): A stride of 0 is refused although no previews are asked for.",
    stride_zero,
    "seed-of-31-bits (GEN-REQ-22): Seeds above 2147483647 are refused.",
    lambda values, request: "seed: too large" if request.seed >= 2**31 and values.get("seed") is not None else "",
    "unknown-fields-500 (GEN-REQ-08): Fields that the contract does not name are answered with status 500.",
    where(unknown, status=500),
    "image-must-fit-500 (GEN-REQ-18): An image of another size than the picture's is answered with status 500.",
    where(unfit, status=500),
    "idle-stride-zero-500 (GEN-REQ-21): A stride of 0 is answered with status 500 although no previews are asked for.",
    where(stride_zero, status=500),
)
several(requests.values)(
    "nulls-are-zero (GEN-REQ-11): Null in a field of a number is read as the least that it allows.",
    lambda values: {name: LEAST.get(name) if value is None else value for name, value in values.items()},
    "formats-ignored (EXT-FMT-01): The fields output_format and preview_format have no effect.",
    lambda values: without(values, "output_format", "preview_format"),
)
several(requests.accepted)(
    "seeds-above-31-bits (quirk): The seeds that the server picks are all above 2147483647.",
    lambda request, values: request if values.get("seed") is not None else replace(request, seed=request.seed | 2**31),
)


# Pictures

for _field in ("image", "mask"):
    several(requests.refused, ids_of(_field)["null"])(
        f"null-{_field}-400: {_field.capitalize()} sent as null is answered with status 400.",
        null(_field),
        f"null-{_field}-500: {_field.capitalize()} sent as null is answered with status 500.",
        where(null(_field), status=500),
    )
    for _code, _keyword in ((Code.NOT_BASE64, "contentEncoding"), (Code.NOT_A_PICTURE, "contentMediaType")):
        _id, _what = ids_of(_field)[_keyword], f"{_field.capitalize()} that is {_code.replace('-', ' ')}"
        several(requests.taken, _id, codes=(_code,), fields=(_field,))(
            f"{_field}-{_code}-ignored: {_what} is taken for none.",
            left_out,
        )
        several(requests.refusal, _id, codes=(_code,), fields=(_field,))(
            f"{_field}-{_code}-500: {_what} is answered with status 500.",
            with_status(500),
        )


@requests.refused(always=True, quirk=True)
def text_to_image_only(values: Body) -> str:
    """Images and masks are refused.

    A suite that is told so sends none: each request counts.
    """
    sent = values.get("image") is not None or values.get("mask") is not None
    return "image: this model makes pictures from text alone; leave it out" if sent else ""


# What there is at all, and when

several(requests.received, methods=("GET", "POST", "HEAD", "DELETE", "PUT", "PATCH"))(
    "upscaler-only (quirk): There is no /generate.",
    where(lambda request: replace(request, path="/generate/"), on=("/generate",)),
    "generator-only (quirk): There is no /upscale.",
    where(lambda request: replace(request, path="/upscale/"), on=("/upscale",)),
)


@requests.refusal(quirk=True)
def slow_to_refuse(problem: APIError) -> APIError:
    """Refusals come a tenth of a second late."""
    time.sleep(0.1)
    return with_status(problem.status)(problem)
