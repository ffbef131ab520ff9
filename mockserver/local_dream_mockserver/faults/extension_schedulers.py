"""Faults of the extension schedulers: schedulers that a server is said to have, and does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from local_dream_mockserver.faults.bodies import Body, Refused
from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.effects.pictures import Told
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.request_fields import NoScheduler
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import Cancelled, EngineError, GenerationRequest, Picture, Step
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.generation import Generates

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
    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        return APIError(400, f"scheduler: no {request.scheduler} here") if request.scheduler not in CORE else None


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
class LcmFails(FaultHooks):
    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        for done in engine.generate(request, cancelled):
            yield done
            if request.scheduler == "lcm":
                self.happened()
                raise EngineError("the network is not made for lcm")


class FallsBack(Told):
    """Paints with dpm where another scheduler was asked for."""

    def __init__(self, place: Trigger | None, only: str = "") -> None:
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
