"""Faults of previews: which progress events carry one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest

Shows = Callable[[int, GenerationRequest], bool]


class Previewed(FaultHooks):
    """Has the engine make every preview, and sends those of other steps than the honest ones."""

    def __init__(self, place: Trigger | None, shows: Shows) -> None:
        super().__init__(place)
        self.shows = shows

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        return replace(request, previews=True, preview_stride=1)

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        step = 0
        async for message in messages:
            if message.kind == "progress":
                step += 1
                shown = self.shows(step, request)
                if shown != request.previews_at(step):
                    self.happened()
                if not shown:
                    message = message.without("image")
            yield message


def _shows(name: str, sentence: str, breaks: tuple[str, ...], shows: Shows) -> None:
    fault(name, sentence, layer=Layer.EVENT, breaks=breaks)(partial(Previewed, shows=shows))


_shows(
    "previews-unasked",
    "Previews are sent whether they are asked for or not.",
    ("GEN-EVT-08",),
    lambda step, request: replace(request, previews=True).previews_at(step),
)
_shows(
    "first-preview-unasked",
    "The first progress event carries a preview whether it is asked for or not.",
    ("GEN-EVT-08",),
    lambda step, request: step == 1 or request.previews_at(step),
)
_shows(
    "stride-ignored",
    "Every step shows a preview, whatever the stride.",
    ("GEN-DEF-09", "GEN-EVT-11"),
    lambda step, request: request.previews,
)
_shows(
    "stride-inverted",
    "A stride of 1 leaves previews out, and a larger one does not.",
    ("GEN-EVT-09",),
    lambda step, request: request.previews and (request.preview_stride > 1 or step % 2 == 1),
)
_shows(
    "previews-with-stride-only",
    "A stride of 1 shows the last step alone, a larger one shows more.",
    ("GEN-EVT-09",),
    lambda step, request: (
        request.previews_at(step) if request.preview_stride > 1 else request.previews and step == request.steps
    ),
)
_shows(
    "previews-never",
    "There are no previews although they are asked for.",
    ("GEN-EVT-10",),
    lambda step, request: False,
)
_shows(
    "previews-a-step-late",
    "Previews come with the step behind the one that is to show one.",
    ("GEN-EVT-11",),
    lambda step, request: step > 1 and request.previews_at(step - 1),
)
