"""Faults and quirks of whole events: their order, those too many or missing, what is in complete, how steps are
counted, and which of them carry a preview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import events, pictures
from local_dream_mockserver.faults.effects.declare import several, where, whole
from local_dream_mockserver.faults.effects.events import COMPLETE, Messages
from local_dream_mockserver.faults.hooks import FaultHooks, Reader, hooked
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Unit
from local_dream_mockserver.server.engine import GenerationRequest

# The order of events, and their end


@events.stream("GEN-EVT-13")
async def complete_before_the_last_step(messages: Messages) -> Messages:
    """The last progress event comes after complete."""
    held: list[Message] = []
    async for message in messages:
        if message.kind == "progress":
            for one in held:
                yield one
            held = [message]
        else:
            yield message
    for one in held:
        yield one


@events.beside("GEN-EVT-13", at="after:complete")
def progress_after_complete(message: Message, request: GenerationRequest) -> Message:
    """A progress event comes after complete."""
    total = message.payload.get("total_steps", request.steps)
    return Message("progress", "progress", {"type": "progress", "step": total, "total_steps": total})


several(events.beside)(
    "error-beside-complete@after:complete (GEN-EVT-12): An error event comes after complete, too.",
    lambda: Message.error("the connection was closed"),
    "error-and-on@after:progress:2 (GEN-EVT-12): An error event comes in mid-stream, and the work goes on to complete.",
    lambda: Message.error("a tile could not be decoded; trying again"),
    "terminal-twice@complete (GEN-EVT-12): The terminal event comes twice.",
    where(lambda message: message, units=(Unit.COMPLETE, Unit.ERROR)),
    "engine-fails@after:progress:2 (GEN-EVT-15): Every generation fails after a step, with an error event.",
    where(lambda: Message.error("the engine ran out of memory"), ends=True),
)
several(events.event)(
    "further-keys (quirk): Events have keys that the contract does not name, nested ones too.",
    lambda message: message.with_(eta_ms=1200, model={"name": "m", "layers": [1, 2, None]}, nsfw=False),
)


# What is in complete


def picked(reported: Callable[[int], int]) -> Callable[[], FaultHooks]:
    """For `whole`: reports seeds that the server picked in another way; those that were sent stay."""

    def read(hooks: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if b'"seed"' not in body:
            hooks.remembered = {*(hooks.remembered or ()), request.seed}
        return request

    async def messages(hooks: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
        async for message in came:
            if message.kind == "complete" and request.seed in (hooks.remembered or ()):
                hooks.happened()
                message = message.with_(seed=reported(request.seed))
            yield message

    return lambda: hooked(None, read=read, messages=messages)


several(whole, layer=Layer.EVENT)(
    "picked-seed-negative (GEN-DEF-11): A seed that the server picks is reported as -1.",
    picked(lambda seed: -1),
    "picked-seed-of-64-bits (GEN-DEF-11): A seed that the server picks has 64 bits.",
    picked(lambda seed: seed + 2**40),
    "picked-seed-off-by-one (GEN-DEF-13): A seed that the server picks is reported as the next one.",
    picked(lambda seed: (seed + 1) % 2**32),
)
several(events.event, kinds=COMPLETE)(
    "terminal-missing (GEN-EVT-12): The stream ends without complete.",
    lambda: None,
    "complete-without-seed (GEN-EVT-15): The complete event has no seed.",
    lambda message: message.without("seed"),
    "complete-without-size (GEN-EVT-15): The complete event has no width and height.",
    lambda message: message.without("width", "height"),
    "complete-without-image (GEN-EVT-15): The complete event has no image.",
    lambda message: message.without("image"),
    "seed-is-text (GEN-EVT-15): The seed in complete is a text.",
    lambda message: message.with_(seed=str(message.payload["seed"])),
    "channels-missing (GEN-EVT-16): The complete event has no channels.",
    lambda message: message.without("channels"),
    "first-step-time-missing (GEN-EVT-16): The complete event has no first_step_time_ms.",
    lambda message: message.without("first_step_time_ms"),
    "first-step-in-microseconds (GEN-EVT-16): The first_step_time_ms is in microseconds.",
    lambda message: message.with_(first_step_time_ms=message.payload["first_step_time_ms"] * 1000 + 50_000),
    "time-in-microseconds (GEN-EVT-17): The generation_time_ms is in microseconds.",
    lambda message: message.with_(generation_time_ms=message.payload["generation_time_ms"] * 1000 + 50_000),
    "time-negative (GEN-EVT-17): The generation_time_ms is negative.",
    lambda message: message.with_(generation_time_ms=-1),
    "seed-off-by-one (GEN-EVT-19, GEN-REQ-22): The complete event reports the seed of the next picture.",
    lambda message: message.with_(seed=(message.payload["seed"] + 1) % 2**32),
    "seed-signed (GEN-EVT-19, GEN-REQ-22): The complete event reports the seed as a signed number of 32 bits.",
    lambda message: message.with_(seed=(message.payload["seed"] + 2**31) % 2**32 - 2**31),
    "image-key-early (quirk): The keys of complete come in another order, and the image first.",
    lambda message: Message(message.kind, message.name, {"image": message.payload["image"], **message.payload}),
    "time-zero (quirk, GEN-EVT-22): The generation_time_ms and first_step_time_ms are 0.",
    lambda message: message.with_(generation_time_ms=0, first_step_time_ms=0),
    "bare-complete (quirk, GEN-EVT-16): The complete event has what it must have, and nothing else.",
    lambda message: message.without("channels", "first_step_time_ms"),
)


# How steps are counted

several(events.progress)(
    "step-missing@progress:2 (GEN-EVT-02): A progress event has no `step`.",
    lambda message: message.without("step"),
    "step-beyond-total@progress:2 (GEN-EVT-03): A step is beyond total_steps.",
    lambda message, step, total: message.with_(step=total + 1),
    "step-goes-back@progress:3 (GEN-EVT-04): A step is behind the one before.",
    lambda message: message.with_(step=1),
    "step-is-text (GEN-EVT-02): The `step` is a text of digits.",
    lambda message, step: message.with_(step=str(step)),
    "steps-from-zero (GEN-EVT-03, GEN-EVT-05): Steps are counted from 0.",
    lambda message, step: message.with_(step=step - 1),
    "steps-count-down (GEN-EVT-04, GEN-EVT-05): Steps count down to 1.",
    lambda message, step, total: message.with_(step=total - step + 1),
    "total-steps-changes (GEN-EVT-06): The total_steps grows in the middle of a stream.",
    lambda message, step, total: message if step <= 2 else message.with_(step=step + 5, total_steps=total + 5),
    "last-step-short-of-total (GEN-EVT-05): The total_steps is one more than there are steps.",
    lambda message, step, total: message.with_(total_steps=total + 1),
    "progress-by-another-name (GEN-EVT-01, GEN-SSE-12): Progress events are named `status`.",
    lambda message: replace(message.with_(type="status"), name="status"),
)


@events.progress(units=(), quirk=True)
def total_steps_plus_two(message: Message, step: int, total: int) -> list[Message]:
    """The total_steps is two more than steps: text encoding and decoding count, and a step number comes twice."""
    counted = message.with_(total_steps=total + 2)
    bare = counted.without("image")
    first = [bare] if step == 1 else []
    last = [bare.with_(step=total + 2)] if step == total else []
    return [*first, counted, *last]


several(events.progress, units=())(
    "total-steps-known-late (quirk, GEN-EVT-06): The first progress event says more total_steps than those after it.",
    lambda message, step, total: (
        [message.without("image").with_(total_steps=total + 3), message] if step == 1 else [message]
    ),
    "progress-missing (GEN-EVT-01): There are no progress events.",
    lambda: None,
    "last-step-missing (GEN-EVT-05): The progress event of the last step is missing.",
    lambda message, step, total: None if step == total > 1 else message,
    "steps-in-percent (quirk): Steps are counted in percent: total_steps is always 100.",
    lambda message, step, total: message.with_(step=max(1, int(step / total * 100)), total_steps=100),
    "steps-skipped (quirk): Progress events without a preview come for every second step and the last one only.",
    lambda message, step, total: message if step % 2 or step == total or "image" in message.payload else None,
    "steps-repeated (quirk): Every progress event comes a second time, without its preview.",
    lambda message: [message, message.without("image")],
    "no-previews (quirk, GEN-EVT-10): There are no previews, as on CPUs.",
    where(lambda message: message.without("image"), layer=pictures.PICTURE),
)


# Which steps carry a preview

several(pictures.previewed)(
    "previews-with-stride-only (GEN-EVT-09): A stride of 1 shows the last step alone, a larger one shows more.",
    lambda step, request: (
        request.previews_at(step) if request.preview_stride > 1 else request.previews and step == request.steps
    ),
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
    "previews-a-step-late (GEN-EVT-10): Previews come with the step behind the one that is to show one.",
    lambda step, request: step > 1 and request.previews_at(step - 1),
)
