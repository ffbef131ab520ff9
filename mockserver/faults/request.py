"""Faults of POST /generate: requests that are taken and must not be, and refused and must not be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from mockserver.engine import GenerationRequest
from mockserver.faults.bodies import (
    NOT_A_PICTURE,
    NOT_BASE64,
    Body,
    Changed,
    Meant,
    OtherStatus,
    Refused,
    Taken,
    field_of,
    sent,
)
from mockserver.faults.catalogue import Layer, fault
from mockserver.faults.place import Place
from mockserver.problem import Problem
from mockserver.spec import component

REQUEST = Layer.REQUEST
ANYTHING = b'{"prompt": "anything"}'
FIELDS = tuple(component("GenerateRequest")["properties"])
BRACKETS = re.compile(rb"\[{100,}\]{100,}")


def status(name: str, sentence: str, breaks: tuple[str, ...], code: int, meant: Meant) -> None:
    """Registers a fault that refuses with another status than 400."""
    fault(name, sentence, layer=REQUEST, breaks=breaks)(partial(OtherStatus, status=code, meant=meant))


def about(field: str, words: str = "") -> Meant:
    """Refusals that name a field, and say these words."""
    return lambda problem: field_of(problem) == field and words in problem.message


def said(*words: str) -> Meant:
    """Refusals that say one of these words."""
    return lambda problem: any(word in problem.message for word in words)


class TakenFor(Taken):
    """Takes some refused requests for a certain body."""

    def __init__(self, place: Place | None, meant: Meant, body: Callable[[bytes], bytes]) -> None:
        super().__init__(place)
        self.meant = meant
        self.body = body

    def mended(self, body: bytes, problem: Problem) -> bytes | None:
        return self.body(body) if self.meant(problem) else None


def taken(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    meant: Meant,
    body: Callable[[bytes], bytes],
    consequences: tuple[str, ...] = (),
) -> None:
    """Registers a fault that takes what is to be refused."""
    fault(name, sentence, layer=REQUEST, breaks=breaks, consequences=consequences)(
        partial(TakenFor, meant=meant, body=body)
    )


def whatever(body: bytes) -> bytes:
    """A body that is always taken."""
    return ANYTHING


def without(*fields: str) -> Callable[[bytes], bytes]:
    """The body without some fields."""
    return lambda body: json.dumps({name: value for name, value in sent(body).items() if name not in fields}).encode()


def with_prompt(body: bytes) -> bytes:
    """The body with a prompt."""
    return json.dumps({**sent(body), "prompt": "anything"}).encode()


taken(
    "prompt-optional",
    "A request without a prompt gets a picture of something.",
    ("GEN-REQ-01",),
    about("prompt", "missing"),
    with_prompt,
)
status(
    "prompt-missing-422",
    "A request without a prompt is refused with status 422.",
    ("GEN-REQ-01",),
    422,
    about("prompt", "missing"),
)
taken(
    "malformed-json-taken",
    "A body that is not well-formed JSON gets a picture of something.",
    ("GEN-REQ-02",),
    said("is not JSON"),
    whatever,
)
status(
    "malformed-json-500",
    "A body that is not well-formed JSON is answered with status 500.",
    ("GEN-REQ-02",),
    500,
    said("is not JSON"),
)


@fault(
    "json-tail-ignored",
    "What follows the JSON object in a body is not looked at.",
    layer=REQUEST,
    breaks=("GEN-REQ-02",),
)
class JsonTailIgnored(Taken):
    def mended(self, body: bytes, problem: Problem) -> bytes | None:
        if "Extra data" not in problem.message:
            return None
        return json.dumps(json.JSONDecoder().raw_decode(body.decode())[0]).encode()


@fault("nan-taken", "NaN is taken for a number in the body.", layer=REQUEST, breaks=("GEN-REQ-02",))
class NanTaken(Taken):
    def mended(self, body: bytes, problem: Problem) -> bytes | None:
        return body.replace(b"NaN", b"7.5") if "no JSON number" in problem.message else None


taken(
    "empty-body-taken",
    "An empty body gets a picture of something.",
    ("GEN-REQ-03",),
    said("the body is empty"),
    whatever,
)
status("empty-body-411", "An empty body is refused with status 411.", ("GEN-REQ-03",), 411, said("the body is empty"))
taken(
    "no-object-taken",
    "A body that is JSON but not an object gets a picture of something.",
    ("GEN-REQ-04",),
    said("not an object"),
    whatever,
)
status(
    "no-object-500",
    "A body that is JSON but not an object is answered with status 500.",
    ("GEN-REQ-04",),
    500,
    said("not an object"),
)


class Required(Refused):
    """Wants fields that are optional."""

    def __init__(self, place: Place | None, fields: tuple[str, ...]) -> None:
        super().__init__(place)
        self.fields = fields

    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        missing = next((field for field in self.fields if field not in body), None)
        return Problem(400, f"{missing}: missing; send it") if missing else None


for _field in ("steps", "seed", "width"):
    fault(
        f"{_field}-required",
        f"A request without {_field} is refused.",
        layer=REQUEST,
        breaks=("GEN-REQ-05",),
        consequences=("ROB-02",) if _field == "seed" else (),
    )(partial(Required, fields=(_field,)))


taken(
    "empty-prompt-painted",
    "An empty prompt gets a picture of something.",
    ("GEN-REQ-06",),
    about("prompt", "empty"),
    with_prompt,
)
status(
    "empty-prompt-500",
    "An empty prompt is answered with status 500.",
    ("GEN-REQ-06",),
    500,
    about("prompt", "empty"),
)


class UnknownFields(Refused):
    """Refuses fields that the contract does not name."""

    def __init__(self, place: Place | None, status: int) -> None:
        super().__init__(place)
        self.status = status

    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        unknown = next((name for name in body if name not in FIELDS), None)
        return Problem(self.status, f"{unknown!a}: there is no such field") if unknown else None


fault(
    "unknown-fields-refused",
    "Fields that the contract does not name are refused.",
    layer=REQUEST,
    breaks=("GEN-REQ-08",),
)(partial(UnknownFields, status=400))
fault(
    "unknown-fields-500",
    "Fields that the contract does not name are answered with status 500.",
    layer=REQUEST,
    breaks=("GEN-REQ-08",),
)(partial(UnknownFields, status=500))


class Nulls(Refused):
    """Refuses null in some fields."""

    def __init__(self, place: Place | None, fields: tuple[str, ...], status: int = 400) -> None:
        super().__init__(place)
        self.fields = fields
        self.status = status

    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        name = next((name for name in self.fields if name in body and body[name] is None), None)
        return Problem(self.status, f"{name}: null is of the wrong type; leave it out") if name else None


for _field, _id in (("image", "GEN-REQ-09"), ("mask", "GEN-REQ-10")):
    for _status in (400, 500):
        fault(
            f"null-{_field}-{_status}",
            f"{_field.capitalize()} sent as null is answered with status {_status}.",
            layer=REQUEST,
            breaks=(_id,),
            consequences=("GEN-REQ-11",),
        )(partial(Nulls, fields=(_field,), status=_status))
fault(
    "nulls-refused",
    "Null is refused in every optional field but image and mask.",
    layer=REQUEST,
    breaks=("GEN-REQ-11",),
)(partial(Nulls, fields=tuple(field for field in FIELDS if field not in ("prompt", "image", "mask"))))


@fault(
    "nulls-are-zero",
    "Null in a field of a number is read as the least that it allows.",
    layer=REQUEST,
    breaks=("GEN-REQ-11",),
)
class NullsAreZero(Changed):
    ZEROS: ClassVar[Body] = {"steps": 1, "cfg": 0.0, "seed": 0, "denoise_strength": 0.0}

    def changed(self, body: Body) -> Body:
        return {n: self.ZEROS.get(n) if value is None else value for n, value in body.items()}


for _field, _ids in (("image", ("GEN-REQ-12", "GEN-REQ-13")), ("mask", ("GEN-REQ-14", "GEN-REQ-15"))):
    for _what, _id in ((NOT_BASE64, _ids[0]), (NOT_A_PICTURE, _ids[1])):
        _words = _what.replace(" ", "-")
        taken(
            f"{_field}-{_words}-ignored",
            f"{_field.capitalize()} that is {_what} is taken for none.",
            (_id,),
            about(_field, _what),
            without(_field),
        )
        status(
            f"{_field}-{_words}-500",
            f"{_field.capitalize()} that is {_what} is answered with status 500.",
            (_id,),
            500,
            about(_field, _what),
        )
taken(
    "mask-alone-taken",
    "A mask without an image is taken as if it were not there.",
    ("GEN-REQ-16",),
    about("image", "missing"),
    without("mask"),
)


class NoFormat(Refused):
    """Refuses images of one file format."""

    def __init__(self, place: Place | None, magic: str, name: str) -> None:
        super().__init__(place)
        self.magic = magic
        self.name = name

    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        image = body.get("image")
        refused = isinstance(image, str) and image.startswith(self.magic)
        return Problem(400, f"image: no {self.name}, please") if refused else None


fault("jpeg-images-refused", "Images as JPEG are refused.", layer=REQUEST, breaks=("GEN-REQ-17",))(
    partial(NoFormat, magic="/9j/", name="JPEG")
)
fault(
    "png-images-refused",
    "Images as PNG are refused.",
    layer=REQUEST,
    breaks=("GEN-REQ-17",),
    consequences=("GEN-REQ-05", "GEN-REQ-20", "ERR-06"),
)(partial(NoFormat, magic="iVBOR", name="PNG"))


class MustFit(Refused):
    """Refuses images of another size than the picture's."""

    def __init__(self, place: Place | None, status: int) -> None:
        super().__init__(place)
        self.status = status

    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        image = body.get("image")
        if not isinstance(image, str) or _size(image) == (request.width, request.height):
            return None
        return Problem(self.status, "image: not of the size width x height; send one that is")


def _size(image: str) -> tuple[int, int]:
    """The size that a picture's file says."""
    import io

    from PIL import Image

    from mockserver.picture_input import decode_base64

    with Image.open(io.BytesIO(decode_base64("image", image))) as file:
        return file.size


fault(
    "image-must-fit",
    "An image of another size than the picture's is refused.",
    layer=REQUEST,
    breaks=("GEN-REQ-18",),
)(partial(MustFit, status=400))
fault(
    "image-must-fit-500",
    "An image of another size than the picture's is answered with status 500.",
    layer=REQUEST,
    breaks=("GEN-REQ-18",),
)(partial(MustFit, status=500))


class NoScheduler(Refused):
    """Refuses a scheduler where it is named."""

    def __init__(self, place: Place | None, name: str) -> None:
        super().__init__(place)
        self.name = name

    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        return Problem(400, f"scheduler: no {self.name} here") if body.get("scheduler") == self.name else None


fault("euler-a-refused", "The scheduler euler_a is refused.", layer=REQUEST, breaks=("GEN-REQ-20",))(
    partial(NoScheduler, name="euler_a")
)
fault(
    "dpm-refused",
    "The scheduler dpm is refused where it is named.",
    layer=REQUEST,
    breaks=("GEN-REQ-20",),
    consequences=("GEN-DEF-06", "GEN-REQ-17", "GEN-REQ-18"),
)(partial(NoScheduler, name="dpm"))


class StrideZero(Refused):
    """Refuses a stride of 0 where it means nothing."""

    def __init__(self, place: Place | None, status: int) -> None:
        super().__init__(place)
        self.status = status

    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        zero = body.get("show_diffusion_stride") == 0
        return Problem(self.status, "show_diffusion_stride: 0 is out of range") if zero else None


fault(
    "idle-stride-zero-refused",
    "A stride of 0 is refused although no previews are asked for.",
    layer=REQUEST,
    breaks=("GEN-REQ-21",),
)(partial(StrideZero, status=400))
fault(
    "idle-stride-zero-500",
    "A stride of 0 is answered with status 500 although no previews are asked for.",
    layer=REQUEST,
    breaks=("GEN-REQ-21",),
)(partial(StrideZero, status=500))


@fault(
    "seed-of-31-bits",
    "Seeds above 2147483647 are refused.",
    layer=REQUEST,
    breaks=("GEN-REQ-22",),
)
class SeedOf31Bits(Refused):
    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        seed = body.get("seed")
        return Problem(400, "seed: too large") if isinstance(seed, int) and seed >= 2**31 else None


@fault(
    "utf8-mended", "Bytes that are not UTF-8 are replaced, and the body is taken.", layer=REQUEST, breaks=("ERR-07",)
)
class Utf8Mended(Taken):
    def mended(self, body: bytes, problem: Problem) -> bytes | None:
        return body.decode("utf-8", "replace").encode() if "not UTF-8" in problem.message else None


@fault("latin1-taken", "A body that is not UTF-8 is read as Latin-1.", layer=REQUEST, breaks=("ERR-07",))
class Latin1Taken(Taken):
    def mended(self, body: bytes, problem: Problem) -> bytes | None:
        return body.decode("latin-1").encode() if "not UTF-8" in problem.message else None


@fault(
    "nesting-flattened",
    "JSON that is nested thousands of levels deep is taken.",
    layer=REQUEST,
    breaks=("ROB-08",),
)
class NestingFlattened(Taken):
    def mended(self, body: bytes, problem: Problem) -> bytes | None:
        return BRACKETS.sub(b"[]", body) if "nested too deeply" in problem.message else None
