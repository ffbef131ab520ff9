"""Faults of the extension busy: wrong ways of refusing a second generation while one runs."""

from __future__ import annotations

from functools import partial

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import Reader
from local_dream_mockserver.faults.overlap import Bare, Busy, Overlaps
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError

AGAIN = {"Retry-After": "1"}
MESSAGE = "busy with another request"


def _busy(name: str, sentence: str, breaks: tuple[str, ...], answer: APIError) -> None:
    fault(
        name,
        sentence,
        layer=Layer.EXTENSION,
        breaks=breaks,
        extensions=("busy",),
    )(partial(Busy, answer=answer))


class Typed(APIError):
    """A refusal with another media type."""

    def __init__(self, kind: str) -> None:
        super().__init__(503, MESSAGE, {**AGAIN, "Content-Type": kind})


_busy(
    "busy-without-retry-after",
    "A second generation while one runs is refused with status 503 and no Retry-After.",
    ("EXT-BSY-02",),
    APIError(503, MESSAGE),
)
_busy(
    "busy-retry-soon",
    "A second generation while one runs is refused with status 503 and the word soon in Retry-After.",
    ("EXT-BSY-02",),
    APIError(503, MESSAGE, {"Retry-After": "soon"}),
)
_busy(
    "busy-retry-in-fractions",
    "A second generation while one runs is refused with status 503 and half a second in Retry-After.",
    ("EXT-BSY-02",),
    APIError(503, MESSAGE, {"Retry-After": "0.5"}),
)
_busy(
    "busy-as-text",
    "A second generation while one runs is refused with status 503 as text/plain.",
    ("EXT-BSY-03",),
    Typed("text/plain"),
)
_busy(
    "busy-bare",
    "A second generation while one runs is refused with status 503, Retry-After and no envelope.",
    ("EXT-BSY-03", "ROB-02"),
    Bare(503, "", AGAIN),
)


@fault(
    "busy-waits",
    "A second generation while one runs waits for its turn, where it is said to be refused.",
    layer=Layer.EXTENSION,
    breaks=("EXT-BSY-01",),
    extensions=("busy",),
)
class BusyWaits(Overlaps):
    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if self.running:
            self.happened()
        return request
