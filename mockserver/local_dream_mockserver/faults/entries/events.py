"""Faults and quirks of whole events: their order, those too many or missing, and what is in complete."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.effects import events
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.events import COMPLETE
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger, Unit
from local_dream_mockserver.server.engine import GenerationRequest


def error(message: str) -> Message:
    """An error event."""
    return Message("error", "error", {"type": "error", "message": message})


# The order of events, and their end


@events.stream("GEN-EVT-13")
async def complete_before_the_last_step(messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
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


several(events.beside, at="after:complete")(
    "error-beside-complete (GEN-EVT-12): An error event comes after complete, too.",
    lambda: error("the connection was closed"),
)


@events.beside("GEN-EVT-13", at="after:complete")
def progress_after_complete(message: Message, request: GenerationRequest) -> Message:
    """A progress event comes after complete."""
    total = message.payload.get("total_steps", request.steps)
    return Message("progress", "progress", {"type": "progress", "step": total, "total_steps": total})


several(events.beside, at="after:progress:2")(
    "error-and-on (GEN-EVT-12): An error event comes in mid-stream, and the work goes on to complete.",
    lambda: error("a tile could not be decoded; trying again"),
)
several(events.beside, at="complete", units=(Unit.COMPLETE, Unit.ERROR))(
    "terminal-twice (GEN-EVT-12): The terminal event comes twice.",
    lambda message: message,
)
several(events.event, kinds=COMPLETE)(
    "terminal-missing (GEN-EVT-12): The stream ends without complete.",
    lambda: None,
)
several(events.beside, at="after:progress:2", ends=True)(
    "engine-fails (GEN-EVT-15): Every generation fails after a step, with an error event.",
    lambda: error("the engine ran out of memory"),
)


# What is in all events

several(events.event, quirk=True)(
    "further-keys: Events have keys that the contract does not name, nested ones too.",
    lambda message: message.with_(eta_ms=1200, model={"name": "m", "layers": [1, 2, None]}, nsfw=False),
)


# What is in complete

several(events.event, kinds=COMPLETE)(
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
    "time-in-microseconds (GEN-EVT-17): The generation_time_ms is in microseconds.",
    lambda message: message.with_(generation_time_ms=message.payload["generation_time_ms"] * 1000 + 50_000),
    "time-negative (GEN-EVT-17): The generation_time_ms is negative.",
    lambda message: message.with_(generation_time_ms=-1),
    "seed-off-by-one (GEN-EVT-19, GEN-REQ-22): The complete event reports the seed of the next picture.",
    lambda message: message.with_(seed=(message.payload["seed"] + 1) % 2**32),
)


@events.event("GEN-EVT-19", "GEN-REQ-22", kinds=COMPLETE)
def seed_signed(message: Message) -> Message:
    """The complete event reports the seed as a signed number of 32 bits."""
    seed = message.payload["seed"]
    return message.with_(seed=seed - 2**32) if seed >= 2**31 else message


class PickedSeed(FaultHooks):
    """Reports seeds that the server picked in another way; those that were sent stay."""

    def __init__(self, place: Trigger | None, reported: Callable[[int], int]) -> None:
        super().__init__(place)
        self.reported = reported
        self.picked: set[int] = set()

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if b'"seed"' not in body:
            self.picked.add(request.seed)
        return request

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            if message.kind == "complete" and request.seed in self.picked:
                self.happened()
                message = message.with_(seed=self.reported(request.seed))
            yield message


def negative(seed: int) -> int:
    """What stands for a random seed in requests elsewhere."""
    return -1


def of_64_bits(seed: int) -> int:
    """A seed beyond the 32 bits of the contract."""
    return seed + 2**40


for _name, _sentence, _reported in (
    ("picked-seed-negative", "A seed that the server picks is reported as -1.", negative),
    ("picked-seed-of-64-bits", "A seed that the server picks has 64 bits.", of_64_bits),
):
    fault(_name, _sentence, layer=Layer.EVENT, breaks=("GEN-DEF-11",))(partial(PickedSeed, reported=_reported))


several(events.event, quirk=True, kinds=COMPLETE)(
    "image-key-early: The keys of complete come in another order, and the image first.",
    lambda message: Message(message.kind, message.name, {"image": message.payload["image"], **message.payload}),
    "time-zero: The generation_time_ms and first_step_time_ms are 0.",
    lambda message: message.with_(generation_time_ms=0, first_step_time_ms=0),
    "bare-complete (GEN-EVT-16): The complete event has what it must have, and nothing else.",
    lambda message: message.without("channels", "first_step_time_ms"),
)
