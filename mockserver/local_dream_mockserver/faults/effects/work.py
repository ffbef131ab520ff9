"""Faults of the engine's work on a generation as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeVar, Unpack

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import Cancelled, EngineError, GenerationRequest, Picture, Step
from local_dream_mockserver.server.generation import Generates

F = TypeVar("F", bound=Callable[..., Any])
Work: TypeAlias = Iterator[Step | Picture]
"""The steps of a generation and, at last, its picture."""


class Working(FaultHooks):
    """Works by a generator over what the engine makes. A hit is a step, a picture or a failure of its own."""

    def __init__(self, place: Trigger | None, work: Callable[..., Work]) -> None:
        super().__init__(place)
        self._work = work

    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Work:
        came: list[object] = []
        try:
            for made in called(self._work, _noted(engine.generate(request, cancelled), came), request):
                if all(made is not one for one in came):
                    self.happened()
                yield made
        except EngineError as failure:
            if all(failure is not one for one in came):
                self.happened()
            raise


def steps(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(work, request) -> work`: a generator over the steps and the picture. It may raise EngineError."""
    return lambda function: declare(function, ids, options, Working, Layer.PICTURE)


def _noted(work: Work, came: list[object]) -> Work:
    """The same, noting the latest of what comes, a failure too."""
    try:
        for made in work:
            came[:] = [made]
            yield made
    except EngineError as failure:
        came[:] = [failure]
        raise
