"""Faults of POST /upscale as functions: of the enlarged picture, the head of its answer, and what is received."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from typing import Any, Unpack

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import requests, responses
from local_dream_mockserver.faults.effects.declare import Decorator, Function, Options, called, changed, hooking
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.server.engine import Rgb
from local_dream_mockserver.server.image_output import jpeg_of
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest

PATH = ("/upscale",)


def enlarged(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(answer, request) -> answer`: another picture, size or duration, before the headers are made."""
    return _changing(called, ids, options)


def file(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(rgb) -> bytes`: another file. What the headers say of the size stays."""

    def filed(function: Function, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        return replace(answer, jpeg=function(rgb_of(answer.jpeg)))

    return _changing(filed, ids, options)


def pixels(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(rgb) -> rgb`: other pixels, shape (height, width, 3). The headers say the size of what is sent."""

    def drawn(function: Function, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        rgb: Rgb = np.ascontiguousarray(function(rgb_of(answer.jpeg)))
        return replace(answer, jpeg=jpeg_of(rgb), width=rgb.shape[1], height=rgb.shape[0])

    return _changing(drawn, ids, options)


def _changing(change: Function, ids: tuple[str, ...], options: Options) -> Decorator:
    def upscaled(function: Function, self: FaultHooks, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        made: UpscaleAnswer = change(function, answer, request)
        return changed(self, answer, made)

    return hooking(ids, options, Layer.UPSCALE, upscaled=upscaled)


headers = partial(responses.headers, everywhere=True, on=PATH, statuses=(200,), layer=Layer.UPSCALE)
"""`(status, headers) -> (status, headers)`: another head before an enlarged picture."""
received = partial(requests.received, on=PATH, methods=("POST",), layer=Layer.UPSCALE)
"""`(incoming) -> incoming`: another request than was sent."""
refusal = partial(responses.rewrite, on=PATH, layer=Layer.UPSCALE)
"""`(reply, problem) -> Reply`: another answer in place of refusals, with `codes` and `fields`."""
refused = partial(responses.instead, on=PATH, layer=Layer.UPSCALE)
"""`(scope) -> Reply`: the refusal of a request, or None."""


def rgb_of(file: bytes) -> Rgb:
    """The pixels of a file, shape (height, width, 3)."""
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("RGB"))


def saved(pixels: Rgb, format: str, **options: Any) -> bytes:
    """A file of pixels, which may be grey, shape (height, width)."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format, **options)
    return buffer.getvalue()
