"""Faults of which requests POST /generate takes, and how it refuses the others."""

from __future__ import annotations

import json
import re

from local_dream_mockserver.faults.bodies import Body
from local_dream_mockserver.faults.effects import requests
from local_dream_mockserver.faults.effects.requests import with_status
from local_dream_mockserver.faults.request import whatever, with_prompt
from local_dream_mockserver.server.errors import APIError, Code

NOT_JSON = (Code.MALFORMED_JSON, Code.JSON_TAIL, Code.JSON_CONSTANT)
EMPTY, MISSING, NO_OBJECT = (Code.EMPTY,), (Code.MISSING,), (Code.NOT_AN_OBJECT,)
BRACKETS = re.compile(rb"\[{100,}\]{100,}")


# Bodies that are not the JSON they must be


@requests.taken("GEN-REQ-02", codes=NOT_JSON)
def malformed_json_taken(body: bytes) -> bytes:
    """A body that is not well-formed JSON gets a picture of something."""
    return whatever(body)


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
def empty_body_taken(body: bytes) -> bytes:
    """An empty body gets a picture of something."""
    return whatever(body)


@requests.refusal("GEN-REQ-03", codes=EMPTY, field="body")
def empty_body_411(problem: APIError) -> APIError:
    """An empty body is refused with status 411."""
    return with_status(problem, 411)


@requests.taken("GEN-REQ-04", codes=NO_OBJECT)
def no_object_taken(body: bytes) -> bytes:
    """A body that is JSON but not an object gets a picture of something."""
    return whatever(body)


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


@requests.taken("ROB-08", codes=(Code.JSON_TOO_DEEP,))
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


# Pictures


def no_format(values: Body, magic: str, format: str) -> APIError | None:
    """The refusal of an image whose base64 begins with these letters."""
    image = values.get("image")
    refused = isinstance(image, str) and image.startswith(magic)
    return APIError(400, f"image: no {format}, please") if refused else None


@requests.refused("GEN-REQ-17")
def jpeg_images_refused(values: Body) -> APIError | None:
    """Images as JPEG are refused."""
    return no_format(values, "/9j/", "JPEG")


@requests.refused("GEN-REQ-17")
def png_images_refused(values: Body) -> APIError | None:
    """Images as PNG are refused."""
    return no_format(values, "iVBOR", "PNG")


# Extensions


@requests.values("EXT-FMT-01", extensions=("formats",))
def formats_ignored(values: Body) -> Body:
    """The fields output_format and preview_format have no effect."""
    return {name: value for name, value in values.items() if name not in ("output_format", "preview_format")}
