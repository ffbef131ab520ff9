"""Faults of events: their lines, names and data, the head of the stream, and what is in them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.changes import EVENTS
from local_dream_mockserver.faults.effects import events, responses
from local_dream_mockserver.faults.effects.events import COMPLETE
from local_dream_mockserver.faults.effects.responses import Headers
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import without
from local_dream_mockserver.proxy.split import kind_of
from local_dream_mockserver.server.engine import GenerationRequest

EVENT = Layer.EVENT


def data_of(piece: bytes) -> Any:
    """The JSON in the data of an honest event."""
    return json.loads(piece.split(b"\n")[1].removeprefix(b"data: "))


def with_data(piece: bytes, data: str) -> bytes:
    """The event with other data."""
    return b"event: %s\ndata: %s\n\n" % (kind_of(piece).encode(), data.encode())


def further(piece: bytes, key: str, value: str) -> bytes:
    """The event with one more value, in JSON, in its data."""
    return piece.replace(b"data: {", f'data: {{"{key}":{value},'.encode(), 1)


# Lines


@events.piece("GEN-SSE-06")
def event_line_missing(piece: bytes) -> bytes:
    """Events have no `event:` line."""
    return piece.partition(b"\n")[2]


@events.piece("GEN-SSE-06")
def event_line_after_data(piece: bytes) -> bytes:
    """The `event:` line comes after the data."""
    first, second, *rest = piece.split(b"\n")
    return b"\n".join([second, first, *rest])


@events.piece("GEN-SSE-06")
def event_line_twice(piece: bytes) -> bytes:
    """Events have two `event:` lines."""
    return b"event: message\n" + piece


@events.piece("GEN-SSE-07")
def data_in_two_lines(piece: bytes) -> bytes:
    """The data of an event is broken into two lines.

    WHATWG allows it: readers join them again.
    """
    return piece.replace(b",", b",\ndata: ", 1)


@events.piece("GEN-SSE-07")
def no_space_after_data(piece: bytes) -> bytes:
    """There is no space behind `data:`."""
    return piece.replace(b"data: ", b"data:", 1)


@events.piece("GEN-SSE-07", at="progress:2")
def progress_without_data(piece: bytes) -> bytes:
    """A progress event has no data line."""
    return piece.partition(b"\n")[0] + b"\n\n"


@events.piece("GEN-SSE-08")
def nan_in_data(piece: bytes) -> bytes:
    """The data of events holds NaN."""
    return further(piece, "eta", "NaN")


@events.piece("GEN-SSE-08")
def data_not_json(piece: bytes) -> bytes:
    """The data of events is written as Python writes it."""
    return with_data(piece, repr(data_of(piece)))


@events.event("GEN-SSE-09", units=EVENTS)
def type_missing(message: Message) -> Message:
    """The data of events has no `type`."""
    return message.without("type")


@events.event("GEN-SSE-09", units=EVENTS)
def type_unlike_the_name(message: Message) -> Message:
    """The `type` in the data of progress events is `step`."""
    return message.with_(type="step") if message.kind == "progress" else message


@events.event("GEN-SSE-12")
def other_event_names(message: Message) -> list[Message]:
    """Events named `ping` come between the others."""
    return [Message("ping", "ping", {"type": "ping"}), message]


# The head of the stream


def content_type(headers: Headers, kind: bytes) -> Headers:
    """The headers with another media type."""
    return (b"content-type", kind), *without(headers, b"content-type")


@responses.headers("GEN-SSE-01", layer=EVENT)
def stream_with_201(status: int, headers: Headers) -> tuple[int, Headers]:
    """Event streams come with status 201."""
    return 201, headers


@responses.headers("GEN-SSE-01", layer=EVENT)
def stream_as_json(status: int, headers: Headers) -> tuple[int, Headers]:
    """Event streams say that they are application/json."""
    return status, content_type(headers, b"application/json")


@responses.headers("GEN-SSE-02", layer=EVENT)
def content_type_twice_unlike(status: int, headers: Headers) -> tuple[int, Headers]:
    """Content-Type comes twice, once with a charset."""
    return status, (*headers, (b"content-type", b"text/event-stream; charset=utf-8"))


@responses.headers("GEN-SSE-03", layer=EVENT)
def no_cache_control(status: int, headers: Headers) -> tuple[int, Headers]:
    """Event streams come without Cache-Control."""
    return status, without(headers, b"cache-control")


# The order of events, and their time


@events.stream("GEN-EVT-13")
async def complete_before_the_last_step(messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
    """The last progress event comes after complete."""
    held: list[Message] = []
    async for message in messages:
        if message.kind == "progress":
            for one in held:
                yield one
            held = [message]
        else:
            yield message
    for one in held:
        yield one


@events.pieces("GEN-EVT-07")
async def events_held_back(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """All events come together when the work is done."""
    yield b"".join([piece async for piece in pieces])


@events.beside("GEN-EVT-12", at="after:complete")
def error_beside_complete() -> Message:
    """An error event comes after complete, too."""
    return Message("error", "error", {"type": "error", "message": "the connection was closed"})


@events.beside("GEN-EVT-13", at="after:complete")
def progress_after_complete(message: Message, request: GenerationRequest) -> Message:
    """A progress event comes after complete."""
    total = message.payload.get("total_steps", request.steps)
    return Message("progress", "progress", {"type": "progress", "step": total, "total_steps": total})


# What is in complete


@events.event("GEN-EVT-15", kinds=COMPLETE)
def complete_without_seed(message: Message) -> Message:
    """The complete event has no seed."""
    return message.without("seed")


@events.event("GEN-EVT-15", kinds=COMPLETE)
def complete_without_size(message: Message) -> Message:
    """The complete event has no width and height."""
    return message.without("width", "height")


@events.event("GEN-EVT-15", kinds=COMPLETE)
def complete_without_image(message: Message) -> Message:
    """The complete event has no image."""
    return message.without("image")


@events.event("GEN-EVT-15", kinds=COMPLETE)
def seed_is_text(message: Message) -> Message:
    """The seed in complete is a text."""
    return message.with_(seed=str(message.payload["seed"]))


@events.event("GEN-EVT-16", kinds=COMPLETE)
def channels_missing(message: Message) -> Message:
    """The complete event has no channels."""
    return message.without("channels")


@events.event("GEN-EVT-16", kinds=COMPLETE)
def first_step_time_missing(message: Message) -> Message:
    """The complete event has no first_step_time_ms."""
    return message.without("first_step_time_ms")


@events.event("GEN-EVT-17", kinds=COMPLETE)
def time_in_microseconds(message: Message) -> Message:
    """The generation_time_ms is in microseconds."""
    return message.with_(generation_time_ms=message.payload["generation_time_ms"] * 1000 + 50_000)


@events.event("GEN-EVT-17", kinds=COMPLETE)
def time_negative(message: Message) -> Message:
    """The generation_time_ms is negative."""
    return message.with_(generation_time_ms=-1)


@events.event("GEN-EVT-19", "GEN-REQ-22", kinds=COMPLETE)
def seed_off_by_one(message: Message) -> Message:
    """The complete event reports the seed of the next picture."""
    return message.with_(seed=(message.payload["seed"] + 1) % 2**32)


@events.event("GEN-EVT-19", "GEN-REQ-22", kinds=COMPLETE)
def seed_signed(message: Message) -> Message:
    """The complete event reports the seed as a signed number of 32 bits."""
    seed = message.payload["seed"]
    return message.with_(seed=seed - 2**32) if seed >= 2**31 else message
