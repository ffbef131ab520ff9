"""Faults of a stream's events as functions: of the events themselves, and of their bytes, one piece an event.

It happens to all events of `kinds` or, where it has a place, to the event there, if it is of `kinds`. `at` is the place
unless another one is asked for; `units` are what a place may be counted in where there is none by default. A hit is
counted where what is sent differs from what came. Functions may leave out arguments at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias, TypeVar, Unpack

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.split import kind_of
from local_dream_mockserver.proxy.trigger import Relation, Trigger, Unit
from local_dream_mockserver.server.engine import GenerationRequest

EVENTS = (Unit.EVENT, Unit.PROGRESS, Unit.COMPLETE, Unit.ERROR)
KINDS = ("progress", "complete", "error")
COMPLETE = ("complete",)
PROGRESS = ("progress",)
F = TypeVar("F", bound=Callable[..., Any])
Function: TypeAlias = Callable[..., Any]
Messages: TypeAlias = AsyncIterator[Message]
Pieces: TypeAlias = AsyncIterator[bytes]


class Counter:
    """Counts the events of one stream as a place does."""

    def __init__(self, place: Trigger) -> None:
        self.place = place
        self.left = place.number

    def here(self, kind: str) -> bool:
        """Whether this event, which is counted now, is the one of the place."""
        if not self.place.counts(kind):
            return False
        self.left -= 1
        return self.left == 0


class Events(FaultHooks):
    """Other events, by a function of this object, the events and the request."""

    def __init__(self, place: Trigger | None, change: Function) -> None:
        super().__init__(place)
        self._change = change

    def messages(self, messages: Messages, request: GenerationRequest) -> Messages:
        changed: Messages = self._change(self, messages, request)
        return changed

    def wanted(self, kinds: tuple[str, ...]) -> Callable[[str], bool]:
        """Whether an event is meant, asked once for each event of a stream by its kind."""
        if self.place is None:
            return lambda kind: kind in kinds
        here = Counter(self.place).here
        return lambda kind: here(kind) and kind in kinds


class Bytes(Events):
    """As `Events`, of the bytes of the events."""

    def messages(self, messages: Messages, request: GenerationRequest) -> Messages:
        return messages

    def pieces(self, pieces: Pieces, request: GenerationRequest) -> Pieces:
        changed: Pieces = self._change(self, pieces, request)
        return changed


def event(
    *ids: str,
    kinds: tuple[str, ...] = KINDS,
    at: str = "",
    units: tuple[Unit, ...] = (),
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`(message, request) -> Message`, or None for no event, or a list of events: in place of an event."""

    return declared(Events, each(kinds), ids, options, at, units)


def progress(*ids: str, at: str = "", **options: Unpack[Options]) -> Callable[[F], F]:
    """As `event`, of progress events alone, which may be counted."""
    return event(*ids, kinds=PROGRESS, at=at, units=(Unit.PROGRESS, Unit.EVENT), **options)


def each(kinds: tuple[str, ...]) -> Function:
    """The change that puts something in place of each event that is meant."""

    async def change(function: Function, self: Events, messages: Messages, request: GenerationRequest) -> Messages:
        wanted = self.wanted(kinds)
        async for message in messages:
            made = called(function, message, request) if wanted(message.kind) else message
            several = made if isinstance(made, list) else [] if made is None else [made]
            if [one.encoded() for one in several] != [message.encoded()]:
                self.happened()
            for one in several:
                yield one

    return change


def beside(
    *ids: str, at: str, units: tuple[Unit, ...] = EVENTS, ends: bool = False, **options: Unpack[Options]
) -> Callable[[F], F]:
    """`(message, request) -> Message`: one more event, before or after the one at the place, as the place says.

    With `ends` it is the last: nothing follows it, and it comes in place of a terminal event.
    """

    async def change(function: Function, self: Events, messages: Messages, request: GenerationRequest) -> Messages:
        assert self.place is not None
        wanted, after = self.wanted(KINDS), self.place.relation is Relation.AFTER
        async for message in messages:
            terminal = message.kind != "progress"
            if not wanted(message.kind) and not (ends and terminal):
                yield message
                continue
            self.happened()
            other = called(function, message, request)
            if not ends:
                for one in (message, other) if after else (other, message):
                    yield one
                continue
            if after and not terminal:
                yield message
            yield other
            return

    return declared(Events, change, ids, options, at, units)


def stream(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`async (messages, request) -> messages`: an async generator over the events of a generation."""

    async def change(function: Function, self: Events, messages: Messages, request: GenerationRequest) -> Messages:
        came: list[Message] = []
        went: list[Message] = []
        try:
            async for message in called(function, _noted(messages, came), request):
                went.append(message)
                yield message
        finally:
            if came != went:
                self.happened()

    return declared(Events, change, ids, options)


def piece(
    *ids: str,
    kinds: tuple[str, ...] = KINDS,
    at: str = "",
    units: tuple[Unit, ...] = EVENTS,
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`(piece) -> bytes`: other bytes of an event, which end with its blank line."""

    async def change(function: Function, self: Events, pieces: Pieces, request: GenerationRequest) -> Pieces:
        wanted = self.wanted(kinds)
        async for one in pieces:
            made = called(function, one) if wanted(kind_of(one)) else one
            if made != one:
                self.happened()
            yield made

    return declared(Bytes, change, ids, options, at, units)


def pieces(*ids: str, always: bool = False, **options: Unpack[Options]) -> Callable[[F], F]:
    """`async (pieces, request) -> pieces`: an async generator over the bytes of the events; each is sent at once.

    `always` counts a hit for each stream: for faults that change only when something is sent.
    """

    async def change(function: Function, self: Events, pieces: Pieces, request: GenerationRequest) -> Pieces:
        came: list[bytes] = []
        went: list[bytes] = []
        if always:
            self.happened()
        try:
            async for one in called(function, _noted(pieces, came), request):
                went.append(one)
                yield one
        finally:
            if came != went and not always:
                self.happened()

    return declared(Bytes, change, ids, options)


def declared(
    kind: type[Events],
    change: Function,
    ids: tuple[str, ...],
    options: Options,
    at: str = "",
    units: tuple[Unit, ...] = (),
) -> Callable[[F], F]:
    """Declares what `change` makes of the function, the object and its events."""

    def make(place: Trigger | None, function: Function) -> Events:
        return kind(place, lambda *values: change(function, *values))

    return lambda function: declare(function, ids, options, make, Layer.EVENT, at, units or (EVENTS if at else ()))


T = TypeVar("T")


async def _noted(values: AsyncIterator[T], into: list[T]) -> AsyncIterator[T]:
    async for value in values:
        into.append(value)
        yield value
