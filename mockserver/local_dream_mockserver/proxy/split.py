"""Finding a place in a body that is still arriving."""

from __future__ import annotations

from collections.abc import AsyncIterator

from local_dream_mockserver.proxy.mutator import MOST_HELD, TooLong, gathered
from local_dream_mockserver.proxy.trigger import Relation, Trigger, Unit

PICTURE = b'"image":"'


async def events(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body of an event stream cut into events, each with the blank line that ends it; last what is left, if any.

    Raises TooLong at an event that does not end.
    """
    held = bytearray()
    async for piece in body:
        searched = max(0, len(held) - 1)
        held += piece
        while (end := held.find(b"\n\n", searched)) >= 0:
            yield bytes(held[: end + 2])
            del held[: end + 2]
            searched = 0
        if len(held) > MOST_HELD:
            raise TooLong
    if held:
        yield bytes(held)


def kind_of(event: bytes) -> str:
    """The name of an event, "" where it has none."""
    for line in event.split(b"\n", 3)[:3]:
        if line.startswith(b"event:"):
            return line[6:].strip().decode("latin-1")
    return ""


def middle_of(event: bytes) -> int:
    """An offset within the event: in the middle of its picture where it has one, else in its own middle."""
    start = event.find(PICTURE)
    if start < 0:
        return len(event) // 2
    start += len(PICTURE)
    return (start + event.find(b'"', start)) // 2


async def split_at(place: Trigger, body: AsyncIterator[bytes], is_stream: bool) -> AsyncIterator[tuple[bytes, bool]]:
    """The body in pieces; with the one before which the place lies comes True. The last of several pieces may be empty.

    In a body that is no event stream, every event lies in its middle.
    """
    if place.unit is Unit.BYTES:
        pieces = _at_byte(place.number, body)
    elif is_stream:
        pieces = _at_event(place, body)
    else:
        pieces = _halved(await gathered(body))
    async for piece in pieces:
        yield piece


async def _at_byte(number: int, body: AsyncIterator[bytes]) -> AsyncIterator[tuple[bytes, bool]]:
    left = number
    async for piece in body:
        if 0 <= left < len(piece):
            yield piece[:left], False
            yield piece[left:], True
        else:
            yield piece, False
        left -= len(piece)


async def _at_event(place: Trigger, body: AsyncIterator[bytes]) -> AsyncIterator[tuple[bytes, bool]]:
    left = place.number
    async for event in events(body):
        counted = place.counts(kind_of(event))
        left -= counted
        offset = None
        if counted and left == 0:
            offset = {Relation.BEFORE: 0, Relation.INSIDE: middle_of(event), Relation.AFTER: len(event)}[place.relation]
        if offset is None:
            yield event, False
        else:
            yield event[:offset], False
            yield event[offset:], True


async def _halved(whole: bytes) -> AsyncIterator[tuple[bytes, bool]]:
    yield whole[: len(whole) // 2], False
    yield whole[len(whole) // 2 :], True
