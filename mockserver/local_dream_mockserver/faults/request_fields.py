"""Faults of single fields of POST /generate: required, unknown, null, and values that are to be taken."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from local_dream_mockserver.faults.bodies import Body, Changed, Refused
from local_dream_mockserver.faults.catalogue import fault
from local_dream_mockserver.faults.request import FIELDS, REQUEST
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError


class Required(Refused):
    """Wants fields that are optional."""

    def __init__(self, place: Trigger | None, fields: tuple[str, ...]) -> None:
        super().__init__(place)
        self.fields = fields

    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        missing = next((field for field in self.fields if field not in body), None)
        return APIError(400, f"{missing}: missing; send it") if missing else None


for _field in ("steps", "seed", "width"):
    fault(
        f"{_field}-required",
        f"A request without {_field} is refused.",
        layer=REQUEST,
        breaks=("GEN-REQ-05",),
    )(partial(Required, fields=(_field,)))


class UnknownFields(Refused):
    """Refuses fields that the contract does not name."""

    def __init__(self, place: Trigger | None, status: int) -> None:
        super().__init__(place)
        self.status = status

    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        unknown = next((name for name in body if name not in FIELDS), None)
        return APIError(self.status, f"{unknown!a}: there is no such field") if unknown else None


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

    def __init__(self, place: Trigger | None, fields: tuple[str, ...], status: int = 400) -> None:
        super().__init__(place)
        self.fields = fields
        self.status = status

    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        name = next((name for name in self.fields if name in body and body[name] is None), None)
        return APIError(self.status, f"{name}: null is of the wrong type; leave it out") if name else None


for _field, _id in (("image", "GEN-REQ-09"), ("mask", "GEN-REQ-10")):
    for _status in (400, 500):
        fault(
            f"null-{_field}-{_status}",
            f"{_field.capitalize()} sent as null is answered with status {_status}.",
            layer=REQUEST,
            breaks=(_id,),
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


class NoScheduler(Refused):
    """Refuses a scheduler where it is named."""

    def __init__(self, place: Trigger | None, name: str) -> None:
        super().__init__(place)
        self.name = name

    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        return APIError(400, f"scheduler: no {self.name} here") if body.get("scheduler") == self.name else None


fault("euler-a-refused", "The scheduler euler_a is refused.", layer=REQUEST, breaks=("GEN-REQ-20",))(
    partial(NoScheduler, name="euler_a")
)
fault(
    "dpm-refused",
    "The scheduler dpm is refused where it is named.",
    layer=REQUEST,
    breaks=("GEN-REQ-20",),
)(partial(NoScheduler, name="dpm"))


class StrideZero(Refused):
    """Refuses a stride of 0 where it means nothing."""

    def __init__(self, place: Trigger | None, status: int) -> None:
        super().__init__(place)
        self.status = status

    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        zero = body.get("show_diffusion_stride") == 0
        return APIError(self.status, "show_diffusion_stride: 0 is out of range") if zero else None


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
    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        seed = body.get("seed")
        return APIError(400, "seed: too large") if isinstance(seed, int) and seed >= 2**31 else None
