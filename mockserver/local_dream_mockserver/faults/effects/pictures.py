"""Faults of pictures as functions: of those that events carry, and of what the engine is told to paint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, Unpack

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.effects.events import COMPLETE, Events, Function, Messages, declared, each
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest, Rgb

F = TypeVar("F", bound=Callable[..., Any])


def coded(*ids: str, kinds: tuple[str, ...] = COMPLETE, at: str = "", **options: Unpack[Options]) -> Callable[[F], F]:
    """`(message, rgb, request) -> Message`: another event in place of one with a picture.

    `rgb` is the picture, shape (height, width, 3).
    """
    change = each(kinds)

    def coded(function: Function, self: Events, messages: Messages, request: GenerationRequest) -> Any:
        def adapted(message: Message, request: GenerationRequest) -> Any:
            rgb = message.picture(size_of(message, request))
            return message if rgb is None else called(function, message, rgb, request)

        return change(adapted, self, messages, request)

    return declared(Events, coded, ids, {"layer": Layer.PICTURE, **options}, at)


def picture(*ids: str, kinds: tuple[str, ...] = COMPLETE, at: str = "", **options: Unpack[Options]) -> Callable[[F], F]:
    """`(rgb, request) -> rgb`: other pixels, coded as the event says. What it says of the size stays."""
    change = each(kinds)

    def drawn(function: Function, self: Events, messages: Messages, request: GenerationRequest) -> Any:
        def adapted(message: Message, request: GenerationRequest) -> Message:
            return message.redrawn(size_of(message, request), lambda rgb: draw(function, rgb, request))

        return change(adapted, self, messages, request)

    return declared(Events, drawn, ids, {"layer": Layer.PICTURE, **options}, at)


def draw(function: Function, rgb: Rgb, request: GenerationRequest) -> Rgb:
    """What a function makes of a picture."""
    drawn: Rgb = called(function, rgb, request)
    return drawn


class Told(FaultHooks):
    """Has the engine paint something else than was asked for."""

    def __init__(self, place: Trigger | None, ask: Function) -> None:
        super().__init__(place)
        self._ask = ask

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        other: GenerationRequest = self._ask(request)
        if other is not request:
            self.happened()
        return other


def asked(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(request) -> request`: what the engine is told. What the answer says of seed and size stays."""
    return lambda function: declare(function, ids, options, Told, Layer.PICTURE)


def size_of(message: Message, request: GenerationRequest) -> tuple[int, int]:
    """Width and height of the picture in an event."""
    return message.payload.get("width", request.width), message.payload.get("height", request.height)
