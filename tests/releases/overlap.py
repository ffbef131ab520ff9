"""An engine on which the two generations that the suite begins together do overlap, however fast it is and however late
the second one comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from local_dream_conformance.core.settings import Settings
from local_dream_conformance.scenarios import requests
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine, SyntheticPicture, SyntheticStep
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest

FIRST = requests.prompts(Settings("http://127.0.0.1:9"))[1]
"""The prompt of the first of the two, and of no other request."""
PATIENCE = 60.0
"""Seconds after which the first goes on although no second one has come: then they did not overlap."""


class OverlappingEngine(SyntheticEngine):
    """Keeps the picture of the first back until the server has taken on the next request, which `follow` notices: the
    suite's own second one in its plain form, where its forms are refused."""

    def __init__(self, pacing: Pacing) -> None:
        super().__init__(pacing)
        self._taken_on = threading.Event()

    def follow(self, hooks: FaultHooks) -> None:
        """Looks at the requests that a personality takes on."""
        inner = hooks.read

        def read(body: bytes, honest: Reader) -> GenerationRequest:
            request = inner(body, honest)
            if request.prompt == FIRST:
                self._taken_on.clear()
            else:
                self._taken_on.set()
            return request

        hooks.read = read  # type: ignore[method-assign]

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        for made in super().generate(request, cancelled):
            if isinstance(made, SyntheticPicture) and request.prompt == FIRST:
                self._taken_on.wait(PATIENCE)
            yield made
