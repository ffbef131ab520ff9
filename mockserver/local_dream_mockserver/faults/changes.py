"""Alterations of a stream's events, one by one: all of them, or the one at a place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from typing import ClassVar

from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.split import kind_of
from local_dream_mockserver.proxy.trigger import Relation, Trigger, Unit
from local_dream_mockserver.server.engine import GenerationRequest

PROGRESS = (Unit.PROGRESS, Unit.EVENT)
EVENTS = (Unit.EVENT, Unit.PROGRESS, Unit.COMPLETE, Unit.ERROR)
Change = Callable[[Message, GenerationRequest], Message]


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


class Each(FaultHooks):
    """Changes each event of some kinds or, where it has a place, the event there."""

    kinds: ClassVar[tuple[str, ...]] = ("progress", "complete", "error")

    def __init__(self, place: Trigger | None = None, change: Change | None = None) -> None:
        super().__init__(place)
        self._change = change

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        counter = Counter(self.place) if self.place else None
        async for message in messages:
            wanted = counter.here(message.kind) if counter else message.kind in self.kinds
            changed = self.changed(message, request) if wanted else message
            if changed is not message and changed.encoded() != message.encoded():
                self.happened()
            yield changed

    def changed(self, message: Message, request: GenerationRequest) -> Message:
        """The event that is sent."""
        assert self._change is not None
        return self._change(message, request)


class EachProgress(Each):
    kinds: ClassVar[tuple[str, ...]] = ("progress",)


class EachComplete(Each):
    kinds: ClassVar[tuple[str, ...]] = ("complete",)


class Inserted(FaultHooks, ABC):
    """Sends more events, at a place; a place inside an event counts as before it."""

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        assert self.place is not None
        counter = Counter(self.place)
        async for message in messages:
            here = counter.here(message.kind)
            if here and self.place.relation is not Relation.AFTER:
                for other in self.inserted(message, request):
                    self.happened()
                    yield other
            yield message
            if here and self.place.relation is Relation.AFTER:
                for other in self.inserted(message, request):
                    self.happened()
                    yield other

    @abstractmethod
    def inserted(self, message: Message, request: GenerationRequest) -> Iterator[Message]:
        """The events that are sent beside this one."""


class EachPiece(FaultHooks):
    """Changes the bytes of each event or, where it has a place, of the event there."""

    def __init__(self, place: Trigger | None = None, change: Callable[[bytes], bytes] | None = None) -> None:
        super().__init__(place)
        self._change = change

    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        counter = Counter(self.place) if self.place else None
        async for piece in pieces:
            wanted = counter.here(kind_of(piece)) if counter else True
            changed = self.changed(piece) if wanted else piece
            if changed != piece:
                self.happened()
            yield changed

    def changed(self, piece: bytes) -> bytes:
        """The bytes that are sent: an event with the blank line that ends it."""
        assert self._change is not None
        return self._change(piece)
