"""Faults and quirks of time: answers that do not end, or drip; and what honest servers do with the time of events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from local_dream_mockserver.faults.effects import events, upscale, wire
from local_dream_mockserver.faults.effects.declare import several, whole
from local_dream_mockserver.faults.effects.events import COMPLETE, Messages
from local_dream_mockserver.faults.effects.wire import PICTURES
from local_dream_mockserver.faults.entries.upscale import PATH, read_as
from local_dream_mockserver.faults.hooks import FaultHooks, Reader, Work, hooked
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.mutator import Answer, Head, Out
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.generation import Generates

REFUSED = (400,)
DRIP = 1.0
"""Seconds between two bytes of an answer that drips."""
SILENCE = 0.7
"""Seconds that an honest server may need before its first step."""
HEALTH = ("/health",)


# Answers that do not end


def unframed(head: Head, body: bytes) -> bytes:
    """The answer with neither a length nor chunks: only the end of the connection could end it."""
    return head.encoded() + body


def overstated(head: Head, body: bytes) -> bytes:
    """The answer with a length that it does not reach."""
    return head.length(len(body) + 1000) + body


several(wire.answer, "SRV-04", statuses=REFUSED, then="gone")(
    "refusal-left-open: The body of a 400 answer has no length, and the connection stays open after it.",
    unframed,
    "refusal-too-long-left-open: Content-Length of a 400 answer says more than it has, and the connection stays open.",
    overstated,
)
several(wire.answer, "SRV-04", on=HEALTH, then="gone")(
    "health-left-open: The body of the answer to GET /health has no length, and the connection stays open after it.",
    unframed,
)


async def drip(data: bytes, out: Out) -> None:
    """Sends a byte a second."""
    for byte in data:
        await out.write(bytes([byte]))
        await asyncio.sleep(DRIP)


@wire.sent("SRV-04", statuses=REFUSED)
async def refusal_drips(answer: Answer, out: Out) -> None:
    """The body of a 400 answer comes at a byte a second."""
    body = b"".join([piece async for piece in answer.body])
    await out.write(answer.head.length(len(body)))
    await drip(body, out)


@wire.sent("GEN-EVT-12", "UPS-ANS-02")
async def answer_drips(answer: Answer, out: Out) -> None:
    """The body of the answer to an accepted request comes at a byte a second."""
    await out.write(answer.head.bare.encoded())
    async for piece in answer.body:
        await drip(piece, out)
    await out.close()


@wire.sent("GEN-SSE-01", "UPS-ANS-01")
async def head_drips(answer: Answer, out: Out) -> None:
    """The head of the answer to an accepted request comes at a byte a second."""
    await drip(answer.head.bare.encoded(), out)


@wire.unanswered("GEN-REQ-01", "UPS-REQ-01", "UPS-REQ-02", statuses=REFUSED, on=PICTURES)
async def refusal_never(out: Out) -> None:
    """What is to be refused is never answered, and the connection stays open."""
    await out.gone()


@events.pieces("GEN-EVT-14", always=True)
async def pings_after_complete(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Comment lines go on after the terminal event, and the stream does not end."""
    async for piece in pieces:
        yield piece
    while True:
        yield b": ping\n\n"
        await asyncio.sleep(0.2)


@events.pieces("GEN-EVT-12", always=True)
async def pings_alone(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A stream has comment lines and no event, and does not end."""
    async for _ in pieces:
        pass
    while True:
        yield b": ping\n\n"
        await asyncio.sleep(0.2)


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


# When honest events come


@whole(quirk=True)
def silent_then_quick() -> FaultHooks:
    """The first step is done after a long silence, as while a model is loaded, and the others are quick."""

    def works(hooks: FaultHooks, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Work:
        hooks.happened()
        time.sleep(SILENCE)
        yield from engine.generate(request, cancelled)

    return hooked(None, works=works)


@events.pieces(quirk=True, always=True)
async def events_in_pairs(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Two events come together, as small packets do on some networks."""
    held: list[bytes] = []
    async for piece in pieces:
        held.append(piece)
        if len(held) == 2:
            yield b"".join(held)
            held = []
    yield b"".join(held)


@events.stream(quirk=True)
async def five_events_a_second(messages: Messages) -> Messages:
    """Progress is reported five times a second, with previews and at the last step, however many steps there are."""
    last = time.monotonic()
    async for message in messages:
        is_last = message.payload.get("step") == message.payload.get("total_steps")
        is_shown = message.payload.get("image") is not None
        if message.kind != "progress" or is_last or is_shown or time.monotonic() - last >= 0.2:
            last = time.monotonic()
            yield message


several(events.event, kinds=COMPLETE, quirk=True)(
    "times-in-whole-seconds: The times in complete are whole seconds, rounded down.",
    lambda message: message.with_(
        generation_time_ms=message.payload["generation_time_ms"] // 1000 * 1000, first_step_time_ms=0
    ),
)


# Busy after a client has hung up


@whole(quirk=True)
def busy_after_a_hang_up() -> FaultHooks:
    """Just after a client has hung up a generation is refused with status 503 and Retry-After: 3."""

    async def messages(hooks: FaultHooks, came: AsyncIterator[Message], request: GenerationRequest) -> Any:
        over = False
        try:
            async for message in came:
                over = over or message.kind != "progress"
                yield message
        finally:
            hooks.remembered = hooks.remembered or not over

    def read(hooks: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if hooks.remembered:
            hooks.remembered = False
            hooks.happened()
            raise APIError(503, "the last generation is being cleared away", {"Retry-After": "3"})
        return request

    return hooked(None, messages=messages, read=read)


# Paths that are not looked at

several(upscale.received)(
    "upscaler-path-ignored (UPS-REQ-09): Whatever X-Upscaler-Path names, the default model is taken.",
    lambda request: read_as(request, lambda path: "default", PATH),
)
