"""POST /upscale: raw RGB in, JPEG out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from local_dream_mockserver.server import clock
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection import ClientGone, read_body, while_connected
from local_dream_mockserver.server.engine import Cancelled, Engine, Limits, Rgb
from local_dream_mockserver.server.errors import APIError, Code, as_api_error
from local_dream_mockserver.server.image_output import jpeg_of
from local_dream_mockserver.server.worker import Worker

WIDTH, HEIGHT, PATH, FLAG = "X-Image-Width", "X-Image-Height", "X-Upscaler-Path", "X-Use-OpenCL"
FLAGS = {"true": True, "1": True, "false": False, "0": False}
LONGEST_PATH = 4096


@dataclass(frozen=True, slots=True)
class UpscaleRequest:
    """What the headers of an accepted request say. `path` is the client's, not yet looked up."""

    width: int
    height: int
    path: str
    use_opencl: bool

    @property
    def length(self) -> int:
        """The body's length in bytes."""
        return self.width * self.height * 3


@dataclass(frozen=True, slots=True)
class UpscaleAnswer:
    """The enlarged picture as JPEG, its size, and how long the work took."""

    jpeg: bytes
    width: int
    height: int
    seconds: float


Enlarge: TypeAlias = Callable[[], UpscaleAnswer]
"""The work on an accepted request."""


class UpscaleEndpoint:
    """Refuses what the headers already show to be wrong before it reads the body; works in a lane of its own."""

    def __init__(self, engine: Engine, worker: Worker, settings: ServerSettings) -> None:
        self.engine = engine
        self.worker = worker
        self.settings = settings

    async def answer(self, request: Request) -> Response:
        """Raises APIError for every refusal and failure."""
        asked = self.read(request.headers)
        self.worker.expect_room()
        try:
            upscaler = await run_in_threadpool(self.engine.resolve_upscaler, asked.path)
        except Exception as error:  # an engine may raise anything
            raise as_api_error(error, PATH) from error
        body = await read_body(request, self.settings.max_body, self.settings.body_idle, self.settings.body_whole)
        check_length(asked, len(body))
        rgb = np.frombuffer(body, dtype=np.uint8).reshape(asked.height, asked.width, 3)
        job = self.worker.submit(
            lambda cancelled: self.work(rgb, upscaler, asked.use_opencl, cancelled, request),
        )
        try:
            return self.response(await while_connected(request.receive, job), asked, request)
        finally:
            job.abandon()

    def read(self, headers: Headers) -> UpscaleRequest:
        """Raises APIError (400) that names the header and the fix."""
        asked = read_headers(headers, self.engine.limits())
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) <= self.settings.max_body:
            check_length(asked, int(announced))
        return asked

    def work(self, rgb: Rgb, upscaler: str, use_opencl: bool, cancelled: Cancelled, request: Request) -> UpscaleAnswer:
        """In the thread of the worker. Raises APIError."""
        started = clock.monotonic()
        try:
            large = self.engine.upscale(rgb, upscaler, use_opencl, cancelled)
        except Exception as error:  # an engine may raise anything
            if cancelled():
                raise ClientGone from None  # not the engine's failure, and not for the log
            raise as_api_error(error) from error
        if cancelled():
            raise ClientGone
        height, width = large.shape[:2]
        return UpscaleAnswer(jpeg_of(large), width, height, clock.monotonic() - started)

    def response(self, answer: UpscaleAnswer, asked: UpscaleRequest, request: Request) -> Response:
        headers = {
            "X-Output-Width": str(answer.width),
            "X-Output-Height": str(answer.height),
            "X-Duration-Ms": str(int(answer.seconds * 1000)),
        }
        return Response(answer.jpeg, headers=headers, media_type="image/jpeg")


def read_headers(headers: Headers, limits: Limits) -> UpscaleRequest:
    """Raises APIError (400) that names the header and the fix."""
    width = _edge(headers, WIDTH, limits)
    height = _edge(headers, HEIGHT, limits)
    if width * height > limits.max_upscale_pixels:
        fields, most = f"{WIDTH}, {HEIGHT}", limits.max_upscale_pixels
        message = f"{fields}: {width}x{height} is more than this server's {most} pixels; send a smaller picture"
        raise APIError(400, message, code=Code.OVER_LIMIT, field=fields)
    path = _unicode(_single(headers, PATH, "the name of an upscale model"))
    if len(path) > LONGEST_PATH:
        message = f"{PATH}: longer than {LONGEST_PATH} characters; send the name of an upscale model"
        raise APIError(400, message, code=Code.OVER_LIMIT, field=PATH)
    flag = headers.get(FLAG, "false").strip().lower()
    if flag not in FLAGS:
        message = f"{FLAG}: not a boolean; send true, 1, false or 0, or leave it out"
        raise APIError(400, message, code=Code.WRONG_FORM, field=FLAG)
    return UpscaleRequest(width, height, path, FLAGS[flag])


def check_length(asked: UpscaleRequest, length: int) -> None:
    """Raises APIError (400) when the body is not as long as the headers say."""
    if length != asked.length:
        size = f"{asked.width} x {asked.height} x 3"
        message = f"body: {length} bytes where {WIDTH} x {HEIGHT} x 3 = {size} = {asked.length}"
        raise APIError(400, message, code=Code.WRONG_LENGTH, field="body")


def _single(headers: Headers, name: str, what: str) -> str:
    values = headers.getlist(name)
    if len(values) > 1:
        raise APIError(400, f"{name}: sent {len(values)} times; send it once", code=Code.REPEATED, field=name)
    if not values or not values[0].strip():
        raise APIError(400, f"{name}: missing; send {what}", code=Code.MISSING, field=name)
    return values[0].strip()


def _unicode(value: str) -> str:
    """A header's value, of which HTTP knows bytes only, as the UTF-8 that clients send; else as it is."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _edge(headers: Headers, name: str, limits: Limits) -> int:
    most = limits.max_upscale_side
    text = _single(headers, name, "the picture's size in pixels")
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 1 <= int(text) <= most:
        message = f"{name}: not a whole number from 1 to {most}; send the picture's size in pixels"
        raise APIError(400, message, code=Code.WRONG_FORM, field=name)
    return int(text)
