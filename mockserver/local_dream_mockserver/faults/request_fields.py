"""What the files need that are still to become functions."""

from __future__ import annotations

from local_dream_mockserver.faults.bodies import Body, Refused
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError


class NoScheduler(Refused):
    """Refuses a scheduler where it is named."""

    def __init__(self, place: Trigger | None, name: str) -> None:
        super().__init__(place)
        self.name = name

    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        return APIError(400, f"scheduler: no {self.name} here") if body.get("scheduler") == self.name else None
