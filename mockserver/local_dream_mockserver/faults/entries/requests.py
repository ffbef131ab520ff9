"""Faults and quirks of which requests POST /generate takes, and how it refuses the others; of bodies and fields."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace

from PIL import Image

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


# Fields


def refusing(why: Callable[[Body, GenerationRequest], str], status: int) -> Callable[..., APIError | None]:
    """Refuses with a status what there is a reason for."""

    def refused(values: Body, request: GenerationRequest) -> APIError | None:
        message = why(values, request)
        return APIError(status, message) if message else None

    return refused


for _name in ("steps", "seed", "width"):

    def missing(values: Body, request: GenerationRequest, name: str = _name) -> str:
        return "" if name in values else f"{name}: missing; send it"

    requests.refused("GEN-REQ-05", name=f"{_name}-required", sentence=f"A request without {_name} is refused.")(
        refusing(missing, 400)
    )


def unknown(values: Body, request: GenerationRequest) -> str:
    """The refusal of a field that the contract does not name."""
    return next((f"{name!a}: there is no such field" for name in values if name not in fields_of()), "")


def stride_zero(values: Body, request: GenerationRequest) -> str:
    """The refusal of a stride of 0."""
    return "show_diffusion_stride: 0 is out of range" if values.get("show_diffusion_stride") == 0 else ""


def unfit(values: Body, request: GenerationRequest) -> str:
    """The refusal of an image of another size than the picture's."""
    image = values.get("image")
    if not isinstance(image, str):
        return ""
    with Image.open(io.BytesIO(decode_base64("image", image))) as file:
        fits = file.size == (request.width, request.height)
    return "" if fits else "image: not of the size width x height; send one that is"


for _id, _why, _sentence, *_names in (
    (
        "GEN-REQ-08",
        unknown,
        "Fields that the contract does not name are {}.",
        "unknown-fields-refused",
        "unknown-fields-500",
    ),
    (
        "GEN-REQ-21",
        stride_zero,
        "A stride of 0 is {} although no previews are asked for.",
        "idle-stride-zero-refused",
        "idle-stride-zero-500",
    ),
    (
        "GEN-REQ-18",
        unfit,
        "An image of another size than the picture's is {}.",
        "image-must-fit",
        "image-must-fit-500",
    ),
):
    for _name, _status, _what in zip(_names, (400, 500), ("refused", "answered with status 500"), strict=True):
        requests.refused(_id, name=_name, sentence=_sentence.format(_what))(refusing(_why, _status))


for _field in ("image", "mask"):
    for _status in (400, 500):

        def null(values: Body, request: GenerationRequest, field: str = _field) -> str:
            return f"{field}: null is of the wrong type; leave it out" if values.get(field, 0) is None else ""

        requests.refused(
            ids_of(_field)["null"],
            name=f"null-{_field}-{_status}",
            sentence=f"{_field.capitalize()} sent as null is answered with status {_status}.",
        )(refusing(null, _status))


@requests.refused("GEN-REQ-11")
def nulls_refused(values: Body) -> APIError | None:
    """Null is refused in every optional field but image and mask."""
    others = set(fields_of()) - {"prompt", "image", "mask"}
    name = next((name for name, value in values.items() if value is None and name in others), "")
    return APIError(400, f"{name}: null is of the wrong type; leave it out") if name else None


@requests.values("GEN-REQ-11")
def nulls_are_zero(values: Body) -> Body:
    """Null in a field of a number is read as the least that it allows."""
    least = {"steps": 1, "cfg": 0.0, "seed": 0, "denoise_strength": 0.0}
    return {name: least.get(name) if value is None else value for name, value in values.items()}


for _name, _sentence in (
    ("euler_a", "The scheduler euler_a is refused."),
    ("dpm", "The scheduler dpm is refused where it is named."),
):

    def named(values: Body, request: GenerationRequest, name: str = _name) -> str:
        return f"scheduler: no {name} here" if values.get("scheduler") == name else ""

    requests.refused("GEN-REQ-20", name=f"{_name.replace('_', '-')}-refused", sentence=_sentence)(refusing(named, 400))


@requests.refused("GEN-REQ-22")
def seed_of_31_bits(values: Body) -> APIError | None:
    """Seeds above 2147483647 are refused."""
    seed = values.get("seed")
    return APIError(400, "seed: too large") if isinstance(seed, int) and seed >= 2**31 else None


@requests.accepted(quirk=True)
def seeds_above_31_bits(request: GenerationRequest, values: Body) -> GenerationRequest:
    """The seeds that the server picks are all above 2147483647."""
    return request if values.get("seed") is not None else replace(request, seed=request.seed | 2**31)


# Pictures


for _field in ("image", "mask"):
    for _code, _keyword in ((Code.NOT_BASE64, "contentEncoding"), (Code.NOT_A_PICTURE, "contentMediaType")):
        _id, _what = ids_of(_field)[_keyword], f"{_field.capitalize()} that is {_code.replace('-', ' ')}"

        def ignored(body: bytes, problem: APIError) -> bytes:
            return without(body, problem.field)

        def failed(problem: APIError) -> APIError:
            return with_status(problem, 500)

        requests.taken(
            _id,
            codes=(_code,),
            field=_field,
            name=f"{_field}-{_code}-ignored",
            sentence=f"{_what} is taken for none.",
        )(ignored)
        requests.refusal(
            _id,
            codes=(_code,),
            field=_field,
            name=f"{_field}-{_code}-500",
            sentence=f"{_what} is answered with status 500.",
        )(failed)


@requests.taken("GEN-REQ-16", codes=MISSING, field="image")
def mask_alone_taken(body: bytes) -> bytes:
    """A mask without an image is taken as if it were not there."""
    return without(body, "mask")


@requests.taken("GEN-REQ-16", codes=MISSING, field="image", quirk=True)
def lone_mask_ignored(body: bytes) -> bytes:
    """A mask without an image is ignored."""
    return without(body, "mask")


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


@requests.refused(always=True, quirk=True)
def text_to_image_only(values: Body) -> APIError | None:
    """Images and masks are refused.

    A suite that is told so sends none: each request counts.
    """
    sent = values.get("image") is not None or values.get("mask") is not None
    return APIError(400, "image: this model makes pictures from text alone; leave it out") if sent else None


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
