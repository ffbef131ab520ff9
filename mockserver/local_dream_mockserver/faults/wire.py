"""Faults of the wire: connections that break off, fall silent, or do not end."""

from __future__ import annotations

from typing import ClassVar

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.proxy.mutator import LAST_CHUNK, Answer, Head, Out, ResponseMutator, chunk
from local_dream_mockserver.proxy.split import split_at
from local_dream_mockserver.proxy.trigger import Unit

WIRE = Layer.WIRE
ANYWHERE = (Unit.BYTES, Unit.EVENT, Unit.PROGRESS, Unit.COMPLETE, Unit.ERROR)
CHUNKED = (b"transfer-encoding", b"chunked")
IMPATIENT = {"idle-timeout": "2"}
"""For servers that fall silent: the suite need not wait as long as it does for others."""
BROKEN_OFF = ("GEN-EVT-12", "UPS-ANS-02")
"""What an answer breaks that ends where it should not."""
REFUSALS = (
    *("GEN-REQ-06", "GEN-REQ-12", "GEN-REQ-13", "GEN-REQ-14", "GEN-REQ-15", "GEN-REQ-16"),
    *(f"GEN-TYP-{number:02}" for number in range(1, 16)),
    *(f"GEN-RNG-{number:02}" for number in range(1, 10)),
    *("UPS-REQ-04", "UPS-REQ-05", "UPS-REQ-06", "UPS-REQ-07"),
    *(f"UPS-REQ-{number}" for number in range(11, 17)),
    *("ERR-06", "ERR-08", "ROB-08"),
)
"""What speaks of refusals, and cannot see one when they are lost on the way."""


def bare(head: Head) -> Head:
    """Without the headers that frame the body."""
    return head.without(b"content-length", b"transfer-encoding")


def length(number: int) -> tuple[bytes, bytes]:
    return (b"content-length", b"%d" % number)


async def whole(answer: Answer) -> bytes:
    return b"".join([piece async for piece in answer.body])


class Cut(ResponseMutator):
    """Sends the answer framed in order as far as its place, and calls `there`. What follows is not sent."""

    async def send(self, answer: Answer, out: Out) -> None:
        assert self.place is not None
        head = bare(answer.head)
        streams = answer.head.is_stream
        pieces = split_at(self.place, answer.body, streams)
        if streams:
            await out.write(head.plus(CHUNKED).encoded())
            async for piece, here in pieces:
                if here:
                    self.happened()
                    await self.there(out)
                    return
                if piece:
                    await out.write(chunk(piece))
            await out.write(LAST_CHUNK)
            return
        parts = [part async for part in pieces]
        head = head.plus(length(sum(len(piece) for piece, _ in parts)))
        await out.write(head.encoded())
        for piece, here in parts:
            if here:
                self.happened()
                await self.there(out)
                return
            await out.write(piece)

    async def there(self, out: Out) -> None:
        """What happens at the place."""
        await out.close()


@fault(
    "reset",
    "The connection is reset in the middle of the answer.",
    layer=WIRE,
    breaks=BROKEN_OFF,
    units=ANYWHERE,
    place="inside:complete",
)
class Reset(Cut):
    async def there(self, out: Out) -> None:
        await out.reset()


@fault(
    "cut-off",
    "The connection is closed in the middle of the answer.",
    layer=WIRE,
    breaks=BROKEN_OFF,
    units=ANYWHERE,
    place="after:progress:2",
)
class CutOff(Cut):
    pass


@fault(
    "stall",
    "The answer stops in its middle, and the connection stays open.",
    layer=WIRE,
    breaks=BROKEN_OFF,
    units=ANYWHERE,
    place="after:progress:2",
    options=IMPATIENT,
)
class Stall(Cut):
    async def there(self, out: Out) -> None:
        await out.gone()


class Unanswered(ResponseMutator):
    """Sends nothing at all."""

    async def send(self, answer: Answer, out: Out) -> None:
        self.happened()
        await self.instead(out)

    async def instead(self, out: Out) -> None:
        await out.close()


@fault(
    "no-answer",
    "An accepted request is never answered, and the connection stays open.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
    options=IMPATIENT,
)
class NoAnswer(Unanswered):
    async def instead(self, out: Out) -> None:
        await out.gone()


@fault(
    "closed-at-once",
    "The connection is closed in place of an answer to an accepted request.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class ClosedAtOnce(Unanswered):
    pass


@fault(
    "reset-at-once",
    "The connection is reset in place of an answer to an accepted request.",
    layer=WIRE,
    breaks=("GEN-SSE-01", "UPS-ANS-01"),
)
class ResetAtOnce(Unanswered):
    async def instead(self, out: Out) -> None:
        await out.reset()


@fault(
    "health-closed",
    "The connection is closed in place of an answer to GET /health.",
    layer=WIRE,
    breaks=("HLT-01",),
    consequences=("ERR-05", "ROB-03"),
)
class HealthClosed(Unanswered):
    paths: ClassVar[tuple[str, ...]] = ("/health",)


@fault(
    "refusal-closed",
    "The connection is closed in place of a 400 answer.",
    layer=WIRE,
    breaks=("GEN-REQ-01", "GEN-REQ-02", "GEN-REQ-03", "GEN-REQ-04", "UPS-REQ-01", "UPS-REQ-02", "UPS-REQ-03", "ERR-07"),
    consequences=REFUSALS,
)
class RefusalClosed(Unanswered):
    statuses: ClassVar[tuple[int, ...]] = (400,)


class Ending(ResponseMutator):
    """Sends event streams in chunks, but not the last chunk."""

    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def send(self, answer: Answer, out: Out) -> None:
        await out.write(bare(answer.head).plus(CHUNKED).encoded())
        async for piece in answer.body:
            await out.write(chunk(piece))
        self.happened()
        await self.end(out)

    async def end(self, out: Out) -> None:
        await out.close()


@fault(
    "last-chunk-missing",
    "The connection is closed after complete without a last chunk.",
    layer=WIRE,
    breaks=("GEN-EVT-14",),
)
class LastChunkMissing(Ending):
    pass


@fault(
    "kept-open",
    "The body does not end after complete: neither a last chunk nor the end of the connection comes.",
    layer=WIRE,
    breaks=("GEN-EVT-14",),
    options=IMPATIENT,
)
class KeptOpen(Ending):
    async def end(self, out: Out) -> None:
        await out.gone()


@fault(
    "reset-after-complete",
    "The connection is reset after complete.",
    layer=WIRE,
    breaks=("GEN-EVT-14",),
)
class ResetAfterComplete(Ending):
    async def end(self, out: Out) -> None:
        await out.reset()


@fault(
    "held-back",
    "All events are held back and sent together at the end, as a buffering proxy does.",
    layer=WIRE,
    breaks=("GEN-EVT-07",),
    pace=0.02,
)
class HeldBack(ResponseMutator):
    paths: ClassVar[tuple[str, ...]] = ("/generate",)

    async def send(self, answer: Answer, out: Out) -> None:
        data = await whole(answer)
        self.happened()
        await out.write(bare(answer.head).plus(CHUNKED).encoded() + chunk(data) + LAST_CHUNK)


@fault(
    "closed-after-refusal",
    "The connection is closed after a 400 answer that did not announce it.",
    layer=WIRE,
    breaks=("ROB-07",),
)
class ClosedAfterRefusal(ResponseMutator):
    statuses: ClassVar[tuple[int, ...]] = (400,)

    async def send(self, answer: Answer, out: Out) -> None:
        await super().send(answer, out)
        self.happened()
        await out.close()
