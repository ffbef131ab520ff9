"""Faults of what POST /upscale answers, as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, Unpack

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest

F = TypeVar("F", bound=Callable[..., Any])


class Enlarged(FaultHooks):
    """Changes the answer of an upscale."""

    def __init__(self, place: Trigger | None, change: Callable[..., Any]) -> None:
        super().__init__(place)
        self._change = change

    def upscaled(self, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        changed: UpscaleAnswer = called(self._change, answer, request)
        if changed != answer:
            self.happened()
        return changed


def enlarged(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(answer, request) -> answer`: another picture, size or duration, before the headers are made."""
    return lambda function: declare(function, ids, options, Enlarged, Layer.UPSCALE)
