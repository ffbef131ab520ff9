"""Faults and quirks of generations that overlap: what a second and a third one get while one runs, and what they do to
it (with the extension busy, too)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import overlap
from local_dream_mockserver.faults.effects.declare import several, where, whole
from local_dream_mockserver.faults.effects.events import Messages
from local_dream_mockserver.faults.effects.requests import AnyAnswer, in_stream
from local_dream_mockserver.faults.entries.connections import NeverAnswered, NoAnswer
from local_dream_mockserver.faults.hooks import FaultHooks, Reader, hooked
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError

WORDS = "busy with another request"
AGAIN = {"Retry-After": "1"}
Latest: TypeAlias = Callable[[], GenerationRequest]
"""Gives the request that came last."""


@overlap.overtaken("ROB-01")
async def overlap_stops_the_first(messages: Messages, request: GenerationRequest, latest: Latest) -> Messages:
    """A generation that runs when another is asked for ends with an error event."""
    async for message in messages:
        if latest() is not request:
            yield Message.error("another request came")
            return
        yield message


@overlap.overtaken("ROB-01", state=dict)
async def overlap_mixes_pictures(
    done: dict[int, Message], messages: Messages, request: GenerationRequest, latest: Latest
) -> Messages:
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


@overlap.overtaken("GEN-EVT-24")
async def total_steps_of_the_latest(messages: Messages, request: GenerationRequest, latest: Latest) -> Messages:
    """The total_steps of a generation is that of the request that came last."""
    async for message in messages:
        yield message.with_(total_steps=latest().steps) if message.kind == "progress" else message


@whole("ROB-13", layer=Layer.REQUEST)
def waiting_client_stops_the_queue() -> FaultHooks:
    """After a client has hung up while it waited for its turn, no other one has its turn."""

    def wrap(hooks: FaultHooks, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            answered = False

            async def noted(message: ASGIMessage) -> None:
                nonlocal answered
                answered = answered or bool(message.get("body"))
                await send(message)

            try:
                await app(scope, receive, noted)
            finally:
                hooks.remembered = hooks.remembered or (scope["path"] == "/generate" and not answered)

        return around

    async def messages(hooks: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
        begun = False
        async for message in came:
            if hooks.remembered and not begun:
                hooks.happened()
                await asyncio.Event().wait()
            begun = True
            yield message

    return hooked(None, wrap=wrap, messages=messages)


@whole("ROB-01", layer=Layer.REQUEST)
def refusal_ends_the_generation() -> FaultHooks:
    """A request that is refused while a generation runs ends that one with an error event."""

    def read(hooks: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError:
            hooks.remembered = (hooks.remembered or 0) + 1
            raise

    async def messages(hooks: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
        refused = hooks.remembered
        async for message in came:
            if hooks.remembered != refused:
                hooks.happened()
                yield Message.error("reset")
                return
            yield message

    return hooked(None, read=read, messages=messages)


several(overlap.third)(
    "third-never-served (ROB-13): A third generation, while one runs and one waits, is never answered.",
    lambda: NoAnswer(NeverAnswered()),
)
several(overlap.second)(
    "overlap-refused-with-500 (ROB-02): A second generation while one runs is answered with status 500.",
    lambda: APIError(500, "the engine is in use"),
    "overlap-refused-bare (ROB-02): A second generation while one runs is answered with status 503 and no envelope.",
    lambda: AnyAnswer(503, b"", AGAIN),
    "overlap-told-in-a-stream (ROB-02): A second generation while one runs gets a stream with an error event.",
    lambda: in_stream({"type": "error", "message": "busy"}),
    "busy-409 (quirk): A second generation while one runs is refused with status 409.",
    lambda: APIError(409, WORDS),
    "busy-429 (quirk): A second generation while one runs is refused with status 429.",
    lambda: APIError(429, WORDS, AGAIN),
    "busy-503 (quirk): A second generation while one runs is refused with status 503.",
    lambda: APIError(503, WORDS, AGAIN),
    "busy-waits (EXT-BSY-01): A second generation while one runs waits for its turn, where it is said to be refused.",
    lambda: None,
    "busy-without-retry-after (EXT-BSY-02): A second generation while one runs is refused with status 503 and no"
    " Retry-After.",
    lambda: APIError(503, WORDS),
    "busy-retry-soon (EXT-BSY-02): A second generation while one runs is refused with status 503 and the word soon in"
    " Retry-After.",
    lambda: APIError(503, WORDS, {"Retry-After": "soon"}),
    "busy-retry-in-fractions (EXT-BSY-02): A second generation while one runs is refused with status 503 and half a"
    " second in Retry-After.",
    lambda: APIError(503, WORDS, {"Retry-After": "0.5"}),
    "busy-as-text (EXT-BSY-03): A second generation while one runs is refused with status 503 as text/plain.",
    lambda: APIError(503, WORDS, {**AGAIN, "Content-Type": "text/plain"}),
    "busy-bare (EXT-BSY-03, ROB-02): A second generation while one runs is refused with status 503, Retry-After and no"
    " envelope.",
    lambda: AnyAnswer(503, b"", AGAIN),
    "busy-until-a-date (quirk): A second generation while one runs is refused with status 503 and an HTTP date in"
    " Retry-After.",
    where(lambda: APIError(503, WORDS, {"Retry-After": "Fri, 31 Dec 2049 23:59:59 GMT"}), extensions=("busy",)),
)
