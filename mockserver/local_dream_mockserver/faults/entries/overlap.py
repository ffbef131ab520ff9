"""Faults and quirks of generations that overlap, with the extension busy and without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from local_dream_mockserver.faults.effects import overlap
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import AnyAnswer
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError

BUSY = ("busy",)
WORDS = "busy with another request"
AGAIN = {"Retry-After": "1"}


# Two generations at once


@overlap.overtaken("ROB-01")
async def overlap_stops_the_first(
    messages: AsyncIterator[Message], request: GenerationRequest, latest: Callable[[], GenerationRequest]
) -> AsyncIterator[Message]:
    """A generation that runs when another is asked for ends with an error event."""
    async for message in messages:
        if latest() is not request:
            yield Message("error", "error", {"type": "error", "message": "another request came"})
            return
        yield message


@overlap.overtaken("ROB-01", state=dict)
async def overlap_mixes_pictures(
    done: dict[int, Message],
    messages: AsyncIterator[Message],
    request: GenerationRequest,
    latest: Callable[[], GenerationRequest],
) -> AsyncIterator[Message]:
    """A generation that runs when another is asked for ends with the other's picture: both have one state."""
    async for message in messages:
        if message.kind != "complete":
            yield message
            continue
        done[id(request)] = message
        other = latest()
        while id(other) not in done:
            await asyncio.sleep(0.01)
        yield message if other is request else message.with_(image=done[id(other)].payload["image"])


several(overlap.second)(
    "overlap-refused-with-500 (ROB-02): A second generation while one runs is answered with status 500.",
    lambda: APIError(500, "the engine is in use"),
    "overlap-refused-bare (ROB-02): A second generation while one runs is answered with status 503 and no envelope.",
    lambda: AnyAnswer(503, b"", AGAIN),
)


# The extension busy

several(overlap.second, extensions=BUSY)(
    "busy-waits (EXT-BSY-01): A second generation while one runs waits for its turn, where it is said to be refused.",
    lambda: None,
    "busy-without-retry-after (EXT-BSY-02): A second generation while one runs is refused with status 503 and no"
    " Retry-After.",
    lambda: APIError(503, WORDS),
    "busy-retry-soon (EXT-BSY-02): A second generation while one runs is refused with status 503 and the word soon"
    " in Retry-After.",
    lambda: APIError(503, WORDS, {"Retry-After": "soon"}),
    "busy-retry-in-fractions (EXT-BSY-02): A second generation while one runs is refused with status 503 and half a"
    " second in Retry-After.",
    lambda: APIError(503, WORDS, {"Retry-After": "0.5"}),
    "busy-as-text (EXT-BSY-03): A second generation while one runs is refused with status 503 as text/plain.",
    lambda: APIError(503, WORDS, {**AGAIN, "Content-Type": "text/plain"}),
    "busy-bare (EXT-BSY-03, ROB-02): A second generation while one runs is refused with status 503, Retry-After and"
    " no envelope.",
    lambda: AnyAnswer(503, b"", AGAIN),
)
several(overlap.second, extensions=BUSY, quirk=True)(
    "busy-until-a-date: A second generation while one runs is refused with status 503 and an HTTP date in Retry-After.",
    lambda: APIError(503, WORDS, {"Retry-After": "Fri, 31 Dec 2049 23:59:59 GMT"}),
)
