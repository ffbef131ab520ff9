"""Faults of pictures as functions: of those that events carry, and of what the engine is told to paint."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Decorator, Function, Options, called, changed, hooking
from local_dream_mockserver.faults.effects.events import COMPLETE, Events, Messages, replacing
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import GenerationRequest, Rgb
from local_dream_mockserver.server.image_output import file_of as encode

PICTURE = Layer.PICTURE


def coded(*ids: str, **options: Unpack[Events]) -> Decorator:
    """`(message, rgb, request) -> Message`: another event in place of one with a picture; of complete, unless `kinds`
    says others.

    `rgb` is the picture, shape (height, width, 3).
    """

    def coded(function: Function, message: Message, request: GenerationRequest) -> Any:
        rgb = message.picture(size_of(message, request))
        return message if rgb is None else called(function, message, rgb, request)

    return replacing(coded, ids, {"kinds": COMPLETE, **options}, PICTURE)


def text(*ids: str, **options: Unpack[Events]) -> Decorator:
    """`(text) -> text`: another text for the base64 of the picture in the event at the place."""

    def spelt(function: Function, message: Message, request: GenerationRequest) -> Message:
        honest = message.payload.get("image")
        return message.with_(image=function(honest)) if isinstance(honest, str) else message

    return replacing(spelt, ids, options, PICTURE)


def picture(*ids: str, **options: Unpack[Events]) -> Decorator:
    """`(rgb, request) -> rgb`: other pixels, coded as the event says; of complete, unless `kinds` says others. What it
    says of the size stays."""

    def drawn(function: Function, message: Message, request: GenerationRequest) -> Message:
        return message.redrawn(size_of(message, request), lambda rgb: called(function, rgb, request))

    return replacing(drawn, ids, {"kinds": COMPLETE, **options}, PICTURE)


def previewed(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(step, request) -> bool`: whether the progress event of this step, counted from 1, carries a preview.

    The engine makes every preview, and those that are not to be shown are left out.
    """

    def asked(function: Function, self: FaultHooks, request: GenerationRequest) -> GenerationRequest:
        return replace(request, previews=True, preview_stride=1)

    async def messages(function: Function, self: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
        step = 0
        async for message in came:
            if message.kind == "progress":
                step += 1
                if not changed(self, request.previews_at(step), called(function, step, request)):
                    message = message.without("image")
            yield message

    return hooking(ids, options, Layer.EVENT, asked=asked, messages=messages)


def asked(*ids: str, given: str = "", **options: Unpack[Options]) -> Decorator:
    """`(request) -> request`: what the engine is told. What the answer says of seed and size stays.

    Only requests that have the field `given` are changed ("": all).
    """

    def asked(function: Function, self: FaultHooks, request: GenerationRequest) -> GenerationRequest:
        if given and getattr(request, given) is None:
            return request
        other: GenerationRequest = function(request)
        if other is not request:
            self.happened()
        return other

    return hooking(ids, options, PICTURE, asked=asked)


def works(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(hooks, engine, request, cancelled) -> work`: a generator over the steps of a generation and its picture, which
    counts its hits itself."""
    return hooking(ids, options, Layer.REQUEST, works=lambda function, *values: function(*values))


def size_of(message: Message, request: GenerationRequest) -> tuple[int, int]:
    """Width and height of the picture in an event."""
    return message.payload.get("width", request.width), message.payload.get("height", request.height)


def file_of(rgb: Rgb, format: str) -> str:
    """The base64 of a picture in a format: raw, png or jpeg."""
    return base64_of(encode(np.ascontiguousarray(rgb), format))


def base64_of(file: bytes) -> str:
    """The text of a file in an event."""
    return base64.b64encode(file).decode("ascii")


def halved(rgb: Rgb) -> Rgb:
    """Half as wide and high."""
    return rgb[::2, ::2]
