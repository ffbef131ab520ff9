"""Faults of the extension schedulers: schedulers that a server is said to have, and does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from mockserver.engine import Cancelled, EngineError, GenerationRequest, Picture, Step
from mockserver.faults.alteration import Alteration
from mockserver.faults.bodies import Body, Refused
from mockserver.faults.catalogue import Layer, fault
from mockserver.faults.painting import Told
from mockserver.faults.place import Place
from mockserver.faults.request_fields import NoScheduler
from mockserver.generation import Generates
from mockserver.problem import Problem

CORE = ("dpm", "euler_a")
EXTENSIONS = ("schedulers",)


@fault(
    "schedulers-refused",
    "All schedulers but dpm and euler_a are refused.",
    layer=Layer.EXTENSION,
    breaks=("EXT-SCH-01",),
    extensions=EXTENSIONS,
)
class SchedulersRefused(Refused):
    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        return Problem(400, f"scheduler: no {request.scheduler} here") if request.scheduler not in CORE else None


fault(
    "lcm-refused",
    "The scheduler lcm is refused.",
    layer=Layer.EXTENSION,
    breaks=("EXT-SCH-02",),
    extensions=EXTENSIONS,
)(partial(NoScheduler, name="lcm"))


@fault(
    "lcm-fails",
    "With the scheduler lcm a generation fails after a step, with an error event.",
    layer=Layer.EXTENSION,
    breaks=("EXT-SCH-02",),
    extensions=EXTENSIONS,
)
class LcmFails(Alteration):
    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        for done in engine.generate(request, cancelled):
            yield done
            if request.scheduler == "lcm":
                self.happened()
                raise EngineError("the network is not made for lcm")


class FallsBack(Told):
    """Paints with dpm where another scheduler was asked for."""

    def __init__(self, place: Place | None, only: str = "") -> None:
        super().__init__(place, self.other)
        self.only = only

    def other(self, request: GenerationRequest) -> GenerationRequest:
        meant = request.scheduler == self.only if self.only else request.scheduler not in CORE
        return replace(request, scheduler="dpm") if meant else request


fault(
    "schedulers-fall-back",
    "All schedulers but euler_a are dpm, without a word.",
    layer=Layer.EXTENSION,
    breaks=("EXT-SCH-03",),
    extensions=EXTENSIONS,
)(FallsBack)
fault(
    "lcm-falls-back",
    "The scheduler lcm is dpm, without a word.",
    layer=Layer.EXTENSION,
    breaks=("EXT-SCH-03",),
    extensions=EXTENSIONS,
)(partial(FallsBack, only="lcm"))
