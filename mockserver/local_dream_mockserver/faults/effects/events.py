"""Faults of a stream's events as functions: of the events themselves, and of their bytes, one piece an event.

It happens to all events of `kinds` or, where it has a place, to the event there, if it is of `kinds`. A hit is counted
where what is sent differs from what came. Functions may leave out arguments at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias, Unpack

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import (
    Decorator,
    Function,
    Options,
    called,
    changed,
    compared,
    hooking,
)
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.split import kind_of
from local_dream_mockserver.proxy.trigger import Relation, Trigger, Unit
from local_dream_mockserver.server.engine import GenerationRequest

EVENTS = (Unit.EVENT, Unit.PROGRESS, Unit.COMPLETE, Unit.ERROR)
KINDS = ("progress", "complete", "error")
COMPLETE = ("complete",)
PROGRESS = ("progress",)
Messages: TypeAlias = AsyncIterator[Message]
Pieces: TypeAlias = AsyncIterator[bytes]


class Events(Options, total=False):
    """The kinds of events that are meant: all, where it is not said."""

    kinds: tuple[str, ...]


def meant(place: Trigger | None, kinds: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether an event is meant, asked once for each event of a stream by its kind."""
    left = place.number if place else 0

    def here(kind: str) -> bool:
        nonlocal left
        if place is None:
            return kind in kinds
        if not place.counts(kind):
            return False
        left -= 1
        return left == 0 and kind in kinds

    return here


def event(*ids: str, **options: Unpack[Events]) -> Decorator:
    """`(message, request) -> Message`, or None for no event, or a list of events: in place of an event."""
    return replacing(called, ids, options)


def progress(*ids: str, **options: Unpack[Events]) -> Decorator:
    """`(message, step, total) -> Message`: as `event`, of progress events, with their `step` and `total_steps`."""

    def counted(function: Function, message: Message, request: GenerationRequest) -> Any:
        return called(function, message, message.payload.get("step"), message.payload.get("total_steps"))

    return replacing(counted, ids, {"units": (Unit.PROGRESS, Unit.EVENT), **options, "kinds": PROGRESS})


def replacing(change: Function, ids: tuple[str, ...], options: Events, layer: Layer = Layer.EVENT) -> Decorator:
    """`change(function, message, request)` is what comes in place of each event that is meant, as for `event`."""
    options = {"units": EVENTS if options.get("at") else (), **options}

    async def messages(function: Function, self: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
        here = meant(self.place, options.get("kinds", KINDS))
        async for message in came:
            made = change(function, message, request) if here(message.kind) else message
            several = made if isinstance(made, list) else [] if made is None else [made]
            changed(self, [message.encoded()], [one.encoded() for one in several])
            for one in several:
                yield one

    return hooking(ids, options, layer, messages=messages)


def beside(*ids: str, ends: bool = False, **options: Unpack[Options]) -> Decorator:
    """`(message, request) -> Message`: one more event, before or after the one at the place, as the place says.

    With `ends` it is the last: nothing follows it, and it comes in place of a terminal event.
    """

    async def messages(function: Function, self: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
        assert self.place is not None
        here, after = meant(self.place, KINDS), self.place.relation is Relation.AFTER
        async for message in came:
            terminal = message.kind != "progress"
            if not here(message.kind) and not (ends and terminal):
                yield message
                continue
            self.happened()
            if after and not (ends and terminal):
                yield message
            yield called(function, message, request)
            if ends:
                return
            if not after:
                yield message

    return hooking(ids, {"units": EVENTS, **options}, Layer.EVENT, messages=messages)


def stream(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`async (messages, request) -> messages`: an async generator over the events of a generation."""

    def messages(function: Function, self: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
        return compared(lambda came: called(function, came, request), came, self.happened)

    return hooking(ids, options, Layer.EVENT, messages=messages)


def piece(*ids: str, **options: Unpack[Events]) -> Decorator:
    """`(piece) -> bytes`: other bytes of an event, which end with its blank line."""
    options = {"units": EVENTS, **options}

    async def pieces(function: Function, self: FaultHooks, came: Pieces, request: GenerationRequest) -> Pieces:
        here = meant(self.place, options.get("kinds", KINDS))
        async for one in came:
            yield changed(self, one, called(function, one) if here(kind_of(one)) else one)

    return hooking(ids, options, Layer.EVENT, pieces=pieces)


def pieces(*ids: str, always: bool = False, **options: Unpack[Options]) -> Decorator:
    """`async (pieces, request) -> pieces`: an async generator over the bytes of the events; each is sent at once.

    `always` counts a hit for each stream: for faults that change only when something is sent.
    """

    def pieces(function: Function, self: FaultHooks, came: Pieces, request: GenerationRequest) -> Pieces:
        if not always:
            return compared(lambda came: called(function, came, request), came, self.happened)
        self.happened()
        changed: Pieces = called(function, came, request)
        return changed

    return hooking(ids, options, Layer.EVENT, pieces=pieces)
