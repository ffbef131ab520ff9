"""Faults and quirks of time: streams that do not end, bodies that take their time; and what honest servers do with the
time of events."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from local_dream_mockserver.faults.effects import events, pictures
from local_dream_mockserver.faults.effects.declare import several, whole
from local_dream_mockserver.faults.effects.events import Messages, Pieces
from local_dream_mockserver.faults.hooks import FaultHooks, Work, hooked
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import STREAM, value_of
from local_dream_mockserver.server import clock
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest, Picture
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.generation import Generates

SILENCE = 0.7
"""Seconds that an honest server may need before its first step."""
LEFT_OUT = 0.05
"""Seconds that a step takes which the strength leaves out, where all are taken."""
PAUSE = 0.5
"""Seconds without a byte that end a body on servers which do not wait."""


# Streams that do not end


async def pinging(pieces: Pieces, *, alone: bool = False) -> Pieces:
    """The events, or none of them, and comment lines for ever after."""
    async for piece in pieces:
        if not alone:
            yield piece
    while True:
        yield b": ping\n\n"
        await asyncio.sleep(0.2)


several(events.pieces, always=True)(
    "pings-after-complete (GEN-EVT-14): Comment lines go on after the terminal event, and the stream does not end.",
    pinging,
    "pings-alone (GEN-EVT-12): A stream has comment lines and no event, and does not end.",
    lambda pieces: pinging(pieces, alone=True),
)


@events.stream("GEN-EVT-12")
async def last_step_for_ever(messages: Messages) -> Messages:
    """The last step is reported again and again, and complete never comes."""
    last: Message | None = None
    async for message in messages:
        if message.kind != "complete":
            last = message
            yield message
    while last is not None:
        yield last
        await asyncio.sleep(0.2)


# Events that a layer which compresses holds back


def all_steps_are_taken(hooks: FaultHooks, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Work:
    """The engine's work, which takes as long with an image as without: the steps that the strength leaves out, too."""
    for made, done in enumerate(engine.generate(request, cancelled)):
        if isinstance(done, Picture):
            time.sleep(LEFT_OUT * max(0, request.steps - made))
        yield done


def packing_all(hooks: FaultHooks, app: ASGIApp) -> ASGIApp:
    """An application whose streams leave as one compressed piece, for clients that take gzip."""

    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        if b"gzip" not in value_of(scope.get("headers", ()), b"accept-encoding"):
            await app(scope, receive, send)
            return
        packing: Any = None

        async def packed(message: ASGIMessage) -> None:
            nonlocal packing
            if message["type"] == "http.response.start" and STREAM in value_of(message["headers"], b"content-type"):
                hooks.happened()
                packing = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
                message = {**message, "headers": [*message["headers"], (b"content-encoding", b"gzip")]}
            elif packing is not None:
                made = packing.compress(message.get("body", b""))
                more = message.get("more_body", False)
                message = {**message, "body": made if more else made + packing.flush()}
            await send(message)

        await app(scope, receive, packed)

    return around


several(whole)(
    "gzip-unflushed (GEN-EVT-07): The stream is compressed where Accept-Encoding has gzip, and not flushed event by"
    " event; a generation of little work takes as long as any.",
    lambda: hooked(None, wrap=packing_all, works=all_steps_are_taken),
)


# Bodies that take their time


def paused(late: Callable[[], ASGIMessage]) -> Callable[[], FaultHooks]:
    """For `whole`: what comes in place of a piece of a body that has been waited for longer than PAUSE."""

    def wrap(hooks: FaultHooks, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            begun, over = False, False

            async def timed() -> ASGIMessage:
                nonlocal begun, over
                since = clock.monotonic()
                message = await receive()
                waited = begun and not over and clock.monotonic() - since > PAUSE
                begun, over = True, over or waited or not message.get("more_body", False)
                if waited:
                    hooks.happened()
                return late() if waited else message

            await app(scope, timed, send)

        return around

    return lambda: hooked(None, wrap=wrap)


def too_late() -> ASGIMessage:
    """Refuses the request whose body is read."""
    raise APIError(408, "the body took too long")


several(whole)(
    "slow-body-refused (ROB-12): A body that is waited for longer than half a second is refused with status 408.",
    paused(too_late),
    "body-ends-at-a-pause (ROB-12): What comes of a body after half a second without a byte is not read.",
    paused(lambda: {"type": "http.request", "body": b"", "more_body": False}),
)


# When honest events come


@pictures.works(quirk=True)
def silent_then_quick(hooks: FaultHooks, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Work:
    """The first step is done after a long silence, as while a model is loaded, and the others are quick."""
    hooks.happened()
    time.sleep(SILENCE)
    yield from engine.generate(request, cancelled)


@events.stream(quirk=True)
async def five_events_a_second(messages: Messages) -> Messages:
    """Progress is reported five times a second, with previews and at the last step, however many steps there are."""
    last = clock.monotonic()
    async for message in messages:
        is_last = message.payload.get("step") == message.payload.get("total_steps")
        is_shown = message.payload.get("image") is not None
        if message.kind != "progress" or is_last or is_shown or clock.monotonic() - last >= 0.2:
            last = clock.monotonic()
            yield message
