"""Faults and quirks of progress events: how steps are counted, and which of them carry a preview."""

from __future__ import annotations

from dataclasses import replace

from local_dream_mockserver.faults.effects import events, pictures
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.events import PROGRESS
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import GenerationRequest


def count(message: Message) -> tuple[int, int]:
    """The `step` and the `total_steps` of an honest progress event."""
    return message.payload["step"], message.payload["total_steps"]


# How steps are counted

several(events.progress, at="progress:2")(
    "step-missing (GEN-EVT-02): A progress event has no `step`.",
    lambda message: message.without("step"),
    "step-beyond-total (GEN-EVT-03): A step is beyond total_steps.",
    lambda message: message.with_(step=message.payload["total_steps"] + 1),
)
several(events.progress, at="progress:3")(
    "step-goes-back (GEN-EVT-04): A step is behind the one before.",
    lambda message: message.with_(step=1),
)


@events.progress("GEN-EVT-04", "GEN-EVT-05")
def steps_count_down(message: Message) -> Message:
    """Steps count down to 1."""
    step, total = count(message)
    return message.with_(step=total - step + 1)


@events.progress("GEN-EVT-06")
def total_steps_changes(message: Message) -> Message:
    """The total_steps grows in the middle of a stream."""
    step, total = count(message)
    return message if step <= 2 else message.with_(step=step + 5, total_steps=total + 5)


several(events.progress)(
    "step-is-text (GEN-EVT-02): The `step` is a text of digits.",
    lambda message: message.with_(step=str(message.payload["step"])),
    "steps-from-zero (GEN-EVT-03, GEN-EVT-05): Steps are counted from 0.",
    lambda message: message.with_(step=message.payload["step"] - 1),
    "last-step-short-of-total (GEN-EVT-05): The total_steps is one more than there are steps.",
    lambda message: message.with_(total_steps=message.payload["total_steps"] + 1),
    "progress-by-another-name (GEN-EVT-01, GEN-SSE-12): Progress events are named `status`.",
    lambda message: replace(message.with_(type="status"), name="status"),
)


@events.event(kinds=PROGRESS, quirk=True)
def steps_in_percent(message: Message) -> Message:
    """Steps are counted in percent: total_steps is always 100."""
    step, total = count(message)
    return message.with_(step=max(1, int(step / total * 100)), total_steps=100)


@events.event(kinds=PROGRESS, quirk=True)
def total_steps_plus_two(message: Message) -> list[Message]:
    """The total_steps is two more than steps: text encoding and decoding count, and a step number comes twice."""
    step, total = count(message)
    counted = message.with_(total_steps=total + 2)
    bare = counted.without("image")
    first = [bare] if step == 1 else []
    last = [bare.with_(step=total + 2)] if step == total else []
    return [*first, counted, *last]


@events.event("GEN-EVT-06", kinds=PROGRESS, quirk=True)
def total_steps_known_late(message: Message) -> list[Message]:
    """The first progress event says more total_steps than those after it."""
    step, total = count(message)
    return [message.without("image").with_(total_steps=total + 3), message] if step == 1 else [message]


# Which steps are told

several(events.event, kinds=PROGRESS)(
    "progress-missing (GEN-EVT-01): There are no progress events.",
    lambda: None,
)


@events.event("GEN-EVT-05", kinds=PROGRESS)
def last_step_missing(message: Message) -> Message | None:
    """The progress event of the last step is missing."""
    step, total = count(message)
    return None if step == total > 1 else message


@events.event(kinds=PROGRESS, quirk=True)
def steps_skipped(message: Message) -> Message | None:
    """Progress events without a preview come for every second step and the last one only."""
    step, total = count(message)
    return message if step % 2 or step == total or "image" in message.payload else None


several(events.event, kinds=PROGRESS, quirk=True)(
    "steps-repeated: Every progress event comes a second time, without its preview.",
    lambda message: [message, message.without("image")],
)


# Which steps carry a preview


@pictures.previewed("GEN-EVT-09")
def previews_with_stride_only(step: int, request: GenerationRequest) -> bool:
    """A stride of 1 shows the last step alone, a larger one shows more."""
    return request.previews_at(step) if request.preview_stride > 1 else request.previews and step == request.steps


several(pictures.previewed)(
    "previews-unasked (GEN-EVT-08): Previews are sent whether they are asked for or not.",
    lambda step, request: replace(request, previews=True).previews_at(step),
    "first-preview-unasked (GEN-EVT-08): The first progress event carries a preview whether it is asked for or not.",
    lambda step, request: step == 1 or request.previews_at(step),
    "stride-ignored (GEN-DEF-09, GEN-EVT-11): Every step shows a preview, whatever the stride.",
    lambda step, request: request.previews,
    "stride-inverted (GEN-EVT-09): A stride of 1 leaves previews out, and a larger one does not.",
    lambda step, request: request.previews and (request.preview_stride > 1 or step % 2 == 1),
    "previews-never (GEN-EVT-10): There are no previews although they are asked for.",
    lambda: False,
    "previews-a-step-late (GEN-EVT-11): Previews come with the step behind the one that is to show one.",
    lambda step, request: step > 1 and request.previews_at(step - 1),
)
several(events.event, kinds=PROGRESS, quirk=True, layer=pictures.PICTURE)(
    "no-previews (GEN-EVT-10): There are no previews, as on CPUs.",
    lambda message: message.without("image"),
)
