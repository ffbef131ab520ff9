"""Faults of pictures as functions: of those that events carry, and of what the engine is told to paint."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, Unpack

import numpy as np

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.effects.events import COMPLETE, KINDS, Events, Function, Messages, declared, each
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger, Unit
from local_dream_mockserver.server.engine import GenerationRequest, Rgb
from local_dream_mockserver.server.image_output import file_of as encode

F = TypeVar("F", bound=Callable[..., Any])
PICTURE = Layer.PICTURE


def coded(
    *ids: str,
    kinds: tuple[str, ...] = COMPLETE,
    at: str = "",
    units: tuple[Unit, ...] = (),
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`(message, rgb, request) -> Message`: another event in place of one with a picture.

    `rgb` is the picture, shape (height, width, 3).
    """
    change = each(kinds)

    def coded(function: Function, self: Events, messages: Messages, request: GenerationRequest) -> Any:
        def adapted(message: Message, request: GenerationRequest) -> Any:
            rgb = message.picture(size_of(message, request))
            return message if rgb is None else called(function, message, rgb, request)

        return change(adapted, self, messages, request)

    return declared(Events, coded, ids, {"layer": PICTURE, **options}, at, units)


def text(*ids: str, at: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(text) -> text`: another text for the base64 of the picture in the event at the place."""
    change = each(KINDS)

    def spelt(function: Function, self: Events, messages: Messages, request: GenerationRequest) -> Any:
        def adapted(message: Message) -> Message:
            honest = message.payload.get("image")
            return message.with_(image=function(honest)) if isinstance(honest, str) else message

        return change(adapted, self, messages, request)

    return declared(Events, spelt, ids, {"layer": PICTURE, **options}, at)


def picture(*ids: str, kinds: tuple[str, ...] = COMPLETE, at: str = "", **options: Unpack[Options]) -> Callable[[F], F]:
    """`(rgb, request) -> rgb`: other pixels, coded as the event says. What it says of the size stays."""
    change = each(kinds)

    def drawn(function: Function, self: Events, messages: Messages, request: GenerationRequest) -> Any:
        def adapted(message: Message, request: GenerationRequest) -> Message:
            return message.redrawn(size_of(message, request), lambda rgb: draw(function, rgb, request))

        return change(adapted, self, messages, request)

    return declared(Events, drawn, ids, {"layer": PICTURE, **options}, at)


def draw(function: Function, rgb: Rgb, request: GenerationRequest) -> Rgb:
    """What a function makes of a picture."""
    drawn: Rgb = called(function, rgb, request)
    return drawn


class Previewed(FaultHooks):
    """Has the engine make every preview, and sends those that a function of step and request says."""

    def __init__(self, place: Trigger | None, shows: Function) -> None:
        super().__init__(place)
        self._shows = shows

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        return replace(request, previews=True, preview_stride=1)

    async def messages(self, messages: Messages, request: GenerationRequest) -> Messages:
        step = 0
        async for message in messages:
            if message.kind == "progress":
                step += 1
                shown = called(self._shows, step, request)
                if shown != request.previews_at(step):
                    self.happened()
                if not shown:
                    message = message.without("image")
            yield message


def previewed(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(step, request) -> bool`: whether the progress event of this step, counted from 1, carries a preview."""
    return lambda function: declare(function, ids, options, Previewed, Layer.EVENT)


class EngineWithHooks(FaultHooks):
    """Has the engine paint something else than was asked for."""

    def __init__(self, place: Trigger | None, ask: Function) -> None:
        super().__init__(place)
        self._ask = ask

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        other: GenerationRequest = self._ask(request)
        if other is not request:
            self.happened()
        return other


def asked(*ids: str, given: str = "", **options: Unpack[Options]) -> Callable[[F], F]:
    """`(request) -> request`: what the engine is told. What the answer says of seed and size stays.

    Only requests that have the field `given` are changed ("": all).
    """

    def make(place: Trigger | None, function: Function) -> EngineWithHooks:
        return EngineWithHooks(
            place, lambda request: request if given and getattr(request, given) is None else function(request)
        )

    return lambda function: declare(function, ids, options, make, PICTURE)


def size_of(message: Message, request: GenerationRequest) -> tuple[int, int]:
    """Width and height of the picture in an event."""
    return message.payload.get("width", request.width), message.payload.get("height", request.height)


def file_of(rgb: Rgb, format: str) -> str:
    """The base64 of a picture in a format: raw, png or jpeg."""
    return base64.b64encode(encode(np.ascontiguousarray(rgb), format)).decode("ascii")


def halved(rgb: Rgb) -> Rgb:
    """Half as wide and high."""
    return rgb[::2, ::2]
