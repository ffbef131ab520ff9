"""A generation under way: the engine works in its worker, its events come out here."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from typing import Protocol

import numpy as np

from local_dream_mockserver.server import clock
from local_dream_mockserver.server.engine import Cancelled, EngineError, GenerationRequest, Picture, Rgb, Step
from local_dream_mockserver.server.errors import APIError, Code, as_api_error
from local_dream_mockserver.server.events import Complete, Event, Failed, Progress
from local_dream_mockserver.server.image_output import file_of
from local_dream_mockserver.server.worker import Worker

ROOM = 32 * 1024 * 1024
"""Bytes of events that the engine may be ahead of a slow reader before it has to wait; one event always has room."""
TICK = 0.05
"""Seconds between two looks whether the client has gone, while the engine waits for it."""


class Generates(Protocol):
    """What a generation needs of an engine."""

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        """As `engine.Engine.generate`."""


class Generation(AsyncIterator[Event]):
    """Puts the request into the queue at once; then iterate over it for its events, once, and `close` it in any
    case."""

    def __init__(
        self, engine: Generates, request: GenerationRequest, worker: Worker, lag_while_wanted: float = 10.0
    ) -> None:
        self._engine = engine
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._made: asyncio.Queue[Event | APIError] = asyncio.Queue()
        self._worker = worker
        self._lag_left = lag_while_wanted
        self._ahead = 0
        self._read = threading.Condition()
        self._first: Event | APIError | None = None
        self._over = False
        self._job = worker.submit(self._work)
        self._job.future.add_done_callback(self._stopped)

    async def opened(self, within: float) -> None:
        """Waits for the engine's first word, or for `within` seconds. Raises APIError if that word is a failure."""
        try:
            async with asyncio.timeout(within):  # not wait_for, see event_stream
                self._first = await self._made.get()
        except TimeoutError:
            return
        if isinstance(self._first, APIError):
            raise self._first

    async def __anext__(self) -> Event:
        if self._over:
            raise StopAsyncIteration
        made = self._first or await self._made.get()
        self._first = None
        with self._read:
            self._ahead -= _size(made)
            self._read.notify()
        if isinstance(made, APIError):
            made = Failed(message=made.message)
        self._over = not isinstance(made, Progress)
        return made

    def close(self) -> None:
        """The engine stops within one step, if it has not ended."""
        self._job.abandon()

    def _work(self, cancelled: Cancelled) -> None:
        started = clock.monotonic()
        try:
            for made in self._engine.generate(self._request, cancelled):
                if isinstance(made, Picture):
                    complete = self._complete(made, clock.monotonic() - started)
                    if not cancelled():
                        self._tell(complete)  # there is nothing to wait for any more, however slowly it is read
                    return
                self._put(self._progress(made), cancelled)
                if cancelled():
                    return
            if not cancelled():
                raise EngineError("the engine ended without a picture")
        except ReadsTooSlowly:
            self._tell(APIError(503, "the answer was read too slowly while other requests waited", code=Code.STALLED))
        except BaseException as error:  # whatever an engine raises, the client hears of it and the worker lives on
            if not cancelled():
                self._tell(as_api_error(error))

    def _stopped(self, future: Future[None]) -> None:
        """The job has ended. It never fails by itself, so that an error means: the server is being stopped."""
        if not future.cancelled() and isinstance(error := future.exception(), APIError):
            self._tell(error)

    def _progress(self, made: Step) -> Progress:
        if made.preview is None:
            return Progress(step=made.step, total_steps=made.total_steps)
        format = self._request.preview_format
        image = self._coded(made.preview, format)
        return Progress(step=made.step, total_steps=made.total_steps, image=image, format=format)

    def _complete(self, picture: Picture, seconds: float) -> Complete:
        return Complete(
            image=self._coded(picture.rgb, self._request.output_format),
            format=self._request.output_format,
            seed=self._request.seed,
            width=self._request.width,
            height=self._request.height,
            generation_time_ms=int(seconds * 1000),
            first_step_time_ms=int(picture.first_step_seconds * 1000),
        )

    def _coded(self, rgb: Rgb, format: str | None) -> str:
        wanted = (self._request.height, self._request.width, 3)
        if rgb.shape != wanted or rgb.dtype != np.uint8:
            raise EngineError(f"the engine made {rgb.dtype} {rgb.shape} where uint8 {wanted} was asked for")
        return base64.b64encode(file_of(rgb, format or "raw")).decode("ascii")

    def _put(self, made: Event, cancelled: Cancelled) -> None:
        """Raises ReadsTooSlowly."""
        with self._read:
            while self._ahead and self._ahead + _size(made) > ROOM and not cancelled():
                began = clock.monotonic()
                self._read.wait(TICK)
                if self._worker.wanted:
                    self._lag_left -= clock.monotonic() - began
                if self._lag_left <= 0:
                    raise ReadsTooSlowly
        if not cancelled():
            self._tell(made)

    def _tell(self, made: Event | APIError) -> None:
        with self._read:
            self._ahead += _size(made)
        self._loop.call_soon_threadsafe(self._made.put_nowait, made)


class ReadsTooSlowly(Exception):
    """The client keeps others waiting, because it does not read what has been made."""


def _size(made: Event | APIError) -> int:
    """What an event takes up in memory, in bytes, about."""
    image = made.image if isinstance(made, Progress | Complete) else None
    return 200 + len(image or "")
