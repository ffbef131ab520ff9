"""Faults of the pictures in POST /generate: image and mask."""

from __future__ import annotations

from functools import partial

from local_dream_mockserver.faults.bodies import Body, Refused
from local_dream_mockserver.faults.catalogue import fault
from local_dream_mockserver.faults.request import REQUEST, about, status, taken, without
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code

for _field, _ids in (("image", ("GEN-REQ-12", "GEN-REQ-13")), ("mask", ("GEN-REQ-14", "GEN-REQ-15"))):
    for _code, _id in ((Code.NOT_BASE64, _ids[0]), (Code.NOT_A_PICTURE, _ids[1])):
        _what = _code.replace("-", " ")
        taken(
            f"{_field}-{_code}-ignored",
            f"{_field.capitalize()} that is {_what} is taken for none.",
            (_id,),
            about(_field, _code),
            without(_field),
        )
        status(
            f"{_field}-{_code}-500",
            f"{_field.capitalize()} that is {_what} is answered with status 500.",
            (_id,),
            500,
            about(_field, _code),
        )
taken(
    "mask-alone-taken",
    "A mask without an image is taken as if it were not there.",
    ("GEN-REQ-16",),
    about("image", Code.MISSING),
    without("mask"),
)


class MustFit(Refused):
    """Refuses images of another size than the picture's."""

    def __init__(self, place: Trigger | None, status: int) -> None:
        super().__init__(place)
        self.status = status

    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        image = body.get("image")
        if not isinstance(image, str) or _size(image) == (request.width, request.height):
            return None
        return APIError(self.status, "image: not of the size width x height; send one that is")


def _size(image: str) -> tuple[int, int]:
    """The size that a picture's file says."""
    import io

    from PIL import Image

    from local_dream_mockserver.server.image_input import decode_base64

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
