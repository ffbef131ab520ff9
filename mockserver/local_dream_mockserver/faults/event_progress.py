"""Faults of progress events, and of events that are missing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.changes import PROGRESS, Change, EachProgress
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest

EVENT = Layer.EVENT


def _progress(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    change: Change,
    place: str = "",
) -> None:
    """Registers a fault that changes progress events."""
    fault(name, sentence, layer=EVENT, breaks=breaks, units=PROGRESS, place=place)(partial(EachProgress, change=change))


def _is_last(message: Message) -> bool:
    return bool(message.payload["step"] == message.payload["total_steps"])


_progress(
    "step-missing",
    "A progress event has no `step`.",
    ("GEN-EVT-02",),
    lambda m, r: m.without("step"),
    place="progress:2",
)
_progress(
    "step-is-text",
    "The `step` is a text of digits.",
    ("GEN-EVT-02",),
    lambda m, r: m.with_(step=str(m.payload["step"])),
)
_progress(
    "steps-from-zero",
    "Steps are counted from 0.",
    ("GEN-EVT-03", "GEN-EVT-05"),
    lambda m, r: m.with_(step=m.payload["step"] - 1),
)
_progress(
    "step-beyond-total",
    "A step is beyond total_steps.",
    ("GEN-EVT-03",),
    lambda m, r: m.with_(step=m.payload["total_steps"] + 1),
    place="progress:2",
)
_progress(
    "step-goes-back",
    "A step is behind the one before.",
    ("GEN-EVT-04",),
    lambda m, r: m.with_(step=1),
    place="progress:3",
)
_progress(
    "steps-count-down",
    "Steps count down to 1.",
    ("GEN-EVT-04", "GEN-EVT-05"),
    lambda m, r: m.with_(step=m.payload["total_steps"] - m.payload["step"] + 1),
)
_progress(
    "total-steps-changes",
    "The total_steps grows in the middle of a stream.",
    ("GEN-EVT-06",),
    lambda m, r: (
        m if m.payload["step"] <= 2 else m.with_(step=m.payload["step"] + 5, total_steps=m.payload["total_steps"] + 5)
    ),
)
_progress(
    "last-step-short-of-total",
    "The total_steps is one more than there are steps.",
    ("GEN-EVT-05",),
    lambda m, r: m.with_(total_steps=m.payload["total_steps"] + 1),
)


class Left(FaultHooks):
    """Leaves events out."""

    def __init__(self, place: Trigger | None, out: Callable[[Message], bool]) -> None:
        super().__init__(place)
        self.out = out

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            if self.out(message):
                self.happened()
            else:
                yield message


def _left_out(name: str, sentence: str, breaks: tuple[str, ...], out: Callable[[Message], bool]) -> None:
    fault(name, sentence, layer=EVENT, breaks=breaks)(partial(Left, out=out))


_left_out(
    "progress-missing",
    "There are no progress events.",
    ("GEN-EVT-01",),
    lambda m: m.kind == "progress",
)
_left_out(
    "last-step-missing",
    "The progress event of the last step is missing.",
    ("GEN-EVT-05",),
    lambda m: m.kind == "progress" and _is_last(m) and m.payload["total_steps"] > 1,
)
_left_out(
    "terminal-missing",
    "The stream ends without complete.",
    ("GEN-EVT-12",),
    lambda m: m.kind == "complete",
)
_progress(
    "progress-by-another-name",
    "Progress events are named `status`.",
    ("GEN-EVT-01", "GEN-SSE-12"),
    lambda m, r: replace(m, name="status", payload={**m.payload, "type": "status"}),
)
