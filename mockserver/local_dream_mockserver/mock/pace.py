"""How slow the mock's engine plays, which can change while it runs; and a hold, which lasts until it is let go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from local_dream_mockserver.faults.hooks import FaultHooks, Work
from local_dream_mockserver.mock.synthetic import NAP, Pacing
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest, Step
from local_dream_mockserver.server.generation import Generates
from local_dream_mockserver.server.upscale import Enlarge, UpscaleAnswer

QUICK = Pacing(first=0, step=0, upscale=0)
_OWN: ContextVar[Pacing | None] = ContextVar("pace", default=None)
"""The pace of the request that a thread of the engine works on, where it has one of its own."""


class Pace:
    """The pace of all requests that have none of their own. From any thread."""

    def __init__(self, start: Pacing = QUICK) -> None:
        self._start = start
        self._now = start

    @property
    def now(self) -> Pacing:
        """Of the request that this thread works on, else of all."""
        return _OWN.get() or self._now

    def set(self, pacing: Pacing) -> None:
        """For generations and upscales that begin from now on."""
        self._now = pacing

    def reset(self) -> None:
        self._now = self._start


class Paced(FaultHooks):
    """One request at its own pace. With `hold` its generation stands still after so many steps, and its upscale before
    the answer, until `let_go`, or until nobody waits any more."""

    def __init__(self, pacing: Pacing, hold: int | None = None) -> None:
        super().__init__()
        self._pacing = pacing
        self._hold = hold
        self._free = threading.Event()

    def let_go(self) -> None:
        """Ends the hold, also one that has not been reached. From any thread."""
        self._free.set()

    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Work:
        self.happened()
        with self._own():
            steps = 0
            for made in engine.generate(request, cancelled):
                if steps == self._hold:
                    self._wait(cancelled)
                steps += isinstance(made, Step)
                yield made

    def enlarges(self, enlarge: Enlarge, cancelled: Cancelled) -> UpscaleAnswer:
        self.happened()
        with self._own():
            answer = enlarge()
        if self._hold is not None:
            self._wait(cancelled)
        return answer

    def _wait(self, cancelled: Cancelled) -> None:
        while not self._free.wait(NAP) and not cancelled():
            pass

    @contextmanager
    def _own(self) -> Iterator[None]:
        before = _OWN.set(self._pacing)
        try:
            yield
        finally:
            _OWN.reset(before)
