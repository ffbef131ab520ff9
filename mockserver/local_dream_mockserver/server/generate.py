"""POST /generate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection import read_body, while_connected
from local_dream_mockserver.server.engine import Engine, GenerationRequest
from local_dream_mockserver.server.event_stream import EventStream
from local_dream_mockserver.server.events import Event
from local_dream_mockserver.server.extensions.extension import Extension
from local_dream_mockserver.server.generation import Generation
from local_dream_mockserver.server.request_reader import RequestReader
from local_dream_mockserver.server.sse import encode
from local_dream_mockserver.server.worker import Worker

AT_ONCE = 4096
"""Bytes of a body that is read without another thread: it holds no picture that takes time to decode."""
READERS = 4
"""Requests that are read at a time: a decoded picture may take hundreds of megabytes before it is fitted."""


class GenerateEndpoint:
    """Reads a request, has it generated, streams the events.

    Each stage is a method of its own, so that another server can be made of this one by replacing a stage: `read`
    (bytes to request), `begin` (request to a running generation), `events` (what the client gets to hear of it),
    `encoded` (events to bytes). Each but `events` gets the HTTP request, too, since what it does may depend on it.
    """

    def __init__(
        self, engine: Engine, worker: Worker, settings: ServerSettings, extensions: Sequence[Extension] = ()
    ) -> None:
        self.engine = engine
        self.worker = worker
        self.settings = settings
        self.reader = RequestReader(engine.limits(), settings.max_picture_pixels, settings.seed, extensions)
        self._readers = asyncio.Semaphore(READERS)

    async def answer(self, request: Request) -> Response:
        """Raises APIError for every refusal, and for a failure before the stream has begun."""
        if not self.settings.busy:  # there, a request that is wrong is told so while another one is generated
            self.worker.expect_room()
        body = await read_body(request, self.settings.max_body, self.settings.body_idle, self.settings.body_whole)
        if len(body) <= AT_ONCE:
            asked = self.read(body, request)
        else:
            async with self._readers:
                asked = await run_in_threadpool(self.read, body, request)
        generation = self.begin(asked, request)
        try:
            await while_connected(request.receive, generation.opened(self.settings.head_within))
        except BaseException:
            generation.close()
            raise
        pieces = self.encoded(self.events(generation), asked, request)
        return EventStream(pieces, generation.close, self.settings.write_idle)

    def read(self, body: bytes, request: Request) -> GenerationRequest:
        """In a worker thread where the body may hold pictures, which take time to decode."""
        return self.reader.read(body)

    def begin(self, asked: GenerationRequest, request: Request) -> Generation:
        """Puts the request into the queue."""
        return Generation(self.engine, asked, self.worker, self.settings.lag_while_wanted)

    def events(self, generation: Generation) -> AsyncIterator[Event]:
        """The events to send."""
        return generation

    async def encoded(
        self, events: AsyncIterator[Event], asked: GenerationRequest, request: Request
    ) -> AsyncIterator[bytes]:
        """The bytes to send, one piece an event."""
        async for event in events:
            yield encode(event)
