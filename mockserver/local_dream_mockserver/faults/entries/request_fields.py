"""Faults and quirks of single fields of POST /generate: required, unknown, null, refused; and of its pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from PIL import Image

from local_dream_mockserver.faults.effects import requests
from local_dream_mockserver.faults.effects.declare import sentence_of, several
from local_dream_mockserver.faults.effects.requests import Body, with_status, without
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.image_input import decode_base64
from local_dream_mockserver.server.spec import fields_of, ids_of

Why: TypeAlias = Callable[[Body, GenerationRequest], str]
"""The reason for a refusal, "" where there is none."""


# Fields


def refusing(why: Why, status: int) -> Callable[[Body, GenerationRequest], APIError | None]:
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


def in_two_ways(id: str, *names: str) -> Callable[[Why], Why]:
    """Declares a refusal with status 400 and one with 500. `{}` in the docstring is what becomes of the request."""

    def declare(why: Why) -> Why:
        for name, status, how in zip(names, (400, 500), ("refused", "answered with status 500"), strict=True):
            requests.refused(id, name=name, sentence=sentence_of(why).format(how))(refusing(why, status))
        return why

    return declare


@in_two_ways("GEN-REQ-08", "unknown-fields-refused", "unknown-fields-500")
def unknown(values: Body, request: GenerationRequest) -> str:
    """Fields that the contract does not name are {}."""
    return next((f"{name!a}: there is no such field" for name in values if name not in fields_of()), "")


@in_two_ways("GEN-REQ-21", "idle-stride-zero-refused", "idle-stride-zero-500")
def stride_zero(values: Body, request: GenerationRequest) -> str:
    """A stride of 0 is {} although no previews are asked for."""
    return "show_diffusion_stride: 0 is out of range" if values.get("show_diffusion_stride") == 0 else ""


@in_two_ways("GEN-REQ-18", "image-must-fit", "image-must-fit-500")
def unfit(values: Body, request: GenerationRequest) -> str:
    """An image of another size than the picture's is {}."""
    image = values.get("image")
    if not isinstance(image, str):
        return ""
    with Image.open(io.BytesIO(decode_base64("image", image))) as file:
        fits = file.size == (request.width, request.height)
    return "" if fits else "image: not of the size width x height; send one that is"


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


several(requests.accepted, quirk=True)(
    "seeds-above-31-bits: The seeds that the server picks are all above 2147483647.",
    lambda request, values: request if values.get("seed") is not None else replace(request, seed=request.seed | 2**31),
)


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


several(requests.taken, codes=(Code.MISSING,), field="image")(
    "mask-alone-taken (GEN-REQ-16): A mask without an image is taken as if it were not there.",
    lambda body: without(body, "mask"),
)
several(requests.taken, codes=(Code.MISSING,), field="image", quirk=True)(
    "lone-mask-ignored (GEN-REQ-16): A mask without an image is ignored.",
    lambda body: without(body, "mask"),
)


def no_format(values: Body, magic: str, format: str) -> APIError | None:
    """The refusal of an image whose base64 begins with these letters."""
    image = values.get("image")
    refused = isinstance(image, str) and image.startswith(magic)
    return APIError(400, f"image: no {format}, please") if refused else None


several(requests.refused)(
    "jpeg-images-refused (GEN-REQ-17): Images as JPEG are refused.",
    lambda values: no_format(values, "/9j/", "JPEG"),
    "png-images-refused (GEN-REQ-17): Images as PNG are refused.",
    lambda values: no_format(values, "iVBOR", "PNG"),
)


@requests.refused(always=True, quirk=True)
def text_to_image_only(values: Body) -> APIError | None:
    """Images and masks are refused.

    A suite that is told so sends none: each request counts.
    """
    sent = values.get("image") is not None or values.get("mask") is not None
    return APIError(400, "image: this model makes pictures from text alone; leave it out") if sent else None
