"""Faults and quirks of progress events: how steps are counted, and which of them carry a preview."""

from __future__ import annotations

from dataclasses import replace

from local_dream_mockserver.faults.effects import events, pictures
from local_dream_mockserver.faults.effects.events import PROGRESS
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import GenerationRequest


def count(message: Message) -> tuple[int, int]:
    """The `step` and the `total_steps` of an honest progress event."""
    return message.payload["step"], message.payload["total_steps"]


# How steps are counted


@events.progress("GEN-EVT-02", at="progress:2")
def step_missing(message: Message) -> Message:
    """A progress event has no `step`."""
    return message.without("step")


@events.progress("GEN-EVT-02")
def step_is_text(message: Message) -> Message:
    """The `step` is a text of digits."""
    return message.with_(step=str(message.payload["step"]))


@events.progress("GEN-EVT-03", "GEN-EVT-05")
def steps_from_zero(message: Message) -> Message:
    """Steps are counted from 0."""
    return message.with_(step=message.payload["step"] - 1)


@events.progress("GEN-EVT-03", at="progress:2")
def step_beyond_total(message: Message) -> Message:
    """A step is beyond total_steps."""
    return message.with_(step=message.payload["total_steps"] + 1)


@events.progress("GEN-EVT-04", at="progress:3")
def step_goes_back(message: Message) -> Message:
    """A step is behind the one before."""
    return message.with_(step=1)


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


@events.progress("GEN-EVT-05")
def last_step_short_of_total(message: Message) -> Message:
    """The total_steps is one more than there are steps."""
    return message.with_(total_steps=message.payload["total_steps"] + 1)


@events.progress("GEN-EVT-01", "GEN-SSE-12")
def progress_by_another_name(message: Message) -> Message:
    """Progress events are named `status`."""
    return replace(message.with_(type="status"), name="status")


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


@events.event("GEN-EVT-01", kinds=PROGRESS)
def progress_missing() -> None:
    """There are no progress events."""


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


@events.event(kinds=PROGRESS, quirk=True)
def steps_repeated(message: Message) -> list[Message]:
    """Every progress event comes a second time, without its preview."""
    return [message, message.without("image")]


# Which steps carry a preview


@pictures.previewed("GEN-EVT-08")
def previews_unasked(step: int, request: GenerationRequest) -> bool:
    """Previews are sent whether they are asked for or not."""
    return replace(request, previews=True).previews_at(step)


@pictures.previewed("GEN-EVT-08")
def first_preview_unasked(step: int, request: GenerationRequest) -> bool:
    """The first progress event carries a preview whether it is asked for or not."""
    return step == 1 or request.previews_at(step)


@pictures.previewed("GEN-DEF-09", "GEN-EVT-11")
def stride_ignored(step: int, request: GenerationRequest) -> bool:
    """Every step shows a preview, whatever the stride."""
    return request.previews


@pictures.previewed("GEN-EVT-09")
def stride_inverted(step: int, request: GenerationRequest) -> bool:
    """A stride of 1 leaves previews out, and a larger one does not."""
    return request.previews and (request.preview_stride > 1 or step % 2 == 1)


@pictures.previewed("GEN-EVT-09")
def previews_with_stride_only(step: int, request: GenerationRequest) -> bool:
    """A stride of 1 shows the last step alone, a larger one shows more."""
    return request.previews_at(step) if request.preview_stride > 1 else request.previews and step == request.steps


@pictures.previewed("GEN-EVT-10")
def previews_never() -> bool:
    """There are no previews although they are asked for."""
    return False


@pictures.previewed("GEN-EVT-11")
def previews_a_step_late(step: int, request: GenerationRequest) -> bool:
    """Previews come with the step behind the one that is to show one."""
    return step > 1 and request.previews_at(step - 1)


@events.event("GEN-EVT-10", kinds=PROGRESS, quirk=True, layer=pictures.PICTURE)
def no_previews(message: Message) -> Message:
    """There are no previews, as on CPUs."""
    return message.without("image")
