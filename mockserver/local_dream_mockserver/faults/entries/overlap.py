"""Faults and quirks of generations that overlap, with the extension busy and without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from local_dream_mockserver.faults.effects import overlap
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


@overlap.second("ROB-02")
def overlap_refused_with_500() -> APIError:
    """A second generation while one runs is answered with status 500."""
    return APIError(500, "the engine is in use")


@overlap.second("ROB-02")
def overlap_refused_bare() -> APIError:
    """A second generation while one runs is answered with status 503 and no envelope."""
    return AnyAnswer(503, b"", AGAIN)


# The extension busy


@overlap.second("EXT-BSY-01", extensions=BUSY)
def busy_waits() -> None:
    """A second generation while one runs waits for its turn, where it is said to be refused."""


@overlap.second("EXT-BSY-02", extensions=BUSY)
def busy_without_retry_after() -> APIError:
    """A second generation while one runs is refused with status 503 and no Retry-After."""
    return APIError(503, WORDS)


@overlap.second("EXT-BSY-02", extensions=BUSY)
def busy_retry_soon() -> APIError:
    """A second generation while one runs is refused with status 503 and the word soon in Retry-After."""
    return APIError(503, WORDS, {"Retry-After": "soon"})


@overlap.second("EXT-BSY-02", extensions=BUSY)
def busy_retry_in_fractions() -> APIError:
    """A second generation while one runs is refused with status 503 and half a second in Retry-After."""
    return APIError(503, WORDS, {"Retry-After": "0.5"})


@overlap.second("EXT-BSY-03", extensions=BUSY)
def busy_as_text() -> APIError:
    """A second generation while one runs is refused with status 503 as text/plain."""
    return APIError(503, WORDS, {**AGAIN, "Content-Type": "text/plain"})


@overlap.second("EXT-BSY-03", "ROB-02", extensions=BUSY)
def busy_bare() -> APIError:
    """A second generation while one runs is refused with status 503, Retry-After and no envelope."""
    return AnyAnswer(503, b"", AGAIN)


@overlap.second(extensions=BUSY, quirk=True)
def busy_until_a_date() -> APIError:
    """A second generation while one runs is refused with status 503 and an HTTP date in Retry-After."""
    return APIError(503, WORDS, {"Retry-After": "Fri, 31 Dec 2049 23:59:59 GMT"})
