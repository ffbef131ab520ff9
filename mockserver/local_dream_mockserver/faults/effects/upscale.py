"""Faults of POST /upscale as functions: of the enlarged picture, the head of its answer, and what is received."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, Unpack

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import requests, responses
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import Rgb
from local_dream_mockserver.server.errors import Code
from local_dream_mockserver.server.image_output import jpeg_of
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest

PATH = ("/upscale",)
OK = (200,)
F = TypeVar("F", bound=Callable[..., Any])
Function = Callable[..., Any]


class Enlarged(FaultHooks):
    """Changes the answer of an upscale."""

    def __init__(self, place: Trigger | None, change: Function) -> None:
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


def file(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(rgb) -> bytes`: another file. What the headers say of the size stays."""

    def make(place: Trigger | None, function: Function) -> Enlarged:
        return Enlarged(place, lambda answer: replace(answer, jpeg=function(rgb_of(answer.jpeg))))

    return lambda function: declare(function, ids, options, make, Layer.UPSCALE)


def pixels(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(rgb) -> rgb`: other pixels, shape (height, width, 3). The headers say the size of what is sent."""

    def make(place: Trigger | None, function: Function) -> Enlarged:
        def change(answer: UpscaleAnswer) -> UpscaleAnswer:
            rgb: Rgb = np.ascontiguousarray(function(rgb_of(answer.jpeg)))
            return replace(answer, jpeg=jpeg_of(rgb), width=rgb.shape[1], height=rgb.shape[0])

        return Enlarged(place, change)

    return lambda function: declare(function, ids, options, make, Layer.UPSCALE)


def here(options: Options) -> Options:
    """The options with this layer."""
    return {"layer": Layer.UPSCALE, **options}


def headers(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(status, headers) -> (status, headers)`: another head before an enlarged picture."""
    return responses.headers(*ids, everywhere=True, on=PATH, statuses=OK, **here(options))


def received(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(incoming) -> incoming`: another request than was sent."""
    return requests.received(*ids, on=PATH, methods=("POST",), **here(options))


def refusal(*ids: str, codes: tuple[Code, ...] = (), field: str = "", **options: Unpack[Options]) -> Callable[[F], F]:
    """`(reply, problem) -> Reply`: another answer in place of these refusals."""
    return responses.rewrite(*ids, on=PATH, codes=codes, field=field, **here(options))


def refused(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(scope) -> Reply`: the refusal of a request, or None."""
    return responses.instead(*ids, on=PATH, **here(options))


def rgb_of(file: bytes) -> Rgb:
    """The pixels of a file, shape (height, width, 3)."""
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("RGB"))


def saved(pixels: Rgb, format: str, **options: object) -> bytes:
    """A file of pixels, which may be grey, shape (height, width)."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format, **options)
    return buffer.getvalue()
