"""Faults of the engine's work on a generation as functions."""

from __future__ import annotations

from typing import Unpack

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Decorator, Function, Options, called, hooking
from local_dream_mockserver.faults.hooks import FaultHooks, Work
from local_dream_mockserver.server.engine import Cancelled, EngineError, GenerationRequest
from local_dream_mockserver.server.generation import Generates


def steps(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(work, request) -> work`: a generator over the steps and the picture. It may raise EngineError.

    A hit is a step, a picture or a failure of its own.
    """

    def works(
        function: Function, self: FaultHooks, engine: Generates, request: GenerationRequest, cancelled: Cancelled
    ) -> Work:
        came: object = None

        def coming() -> Work:
            nonlocal came
            try:
                for came in engine.generate(request, cancelled):  # noqa: UP028  (`came` is read outside)
                    yield came
            except EngineError as failure:
                came = failure
                raise

        try:
            for made in called(function, coming(), request):
                if made is not came:
                    self.happened()
                yield made
        except EngineError as failure:
            if failure is not came:
                self.happened()
            raise

    return hooking(ids, options, Layer.PICTURE, works=works)
