"""The decorators of events, of pictures and of the engine's work: what they change, where, and what counts as a hit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import numpy as np

from local_dream_mockserver.faults.effects import pictures
from local_dream_mockserver.faults.hooks import FaultHooks, Work
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import Cancelled, EngineError, GenerationRequest, Picture, Step
from local_dream_mockserver.server.generation import Generates
from tests.mockserver.faults.declared import hooks

REQUEST = GenerationRequest(prompt="x", seed=3, steps=3)
ERROR = Message("error", "error", {"type": "error", "message": "no memory"})


def progress(step: int) -> Message:
    return Message("progress", "progress", {"type": "progress", "step": step, "total_steps": 3})


COMPLETE = Message("complete", "complete", {"type": "complete", "seed": 3, "image": "AAAA"})
STREAM = [progress(1), progress(2), progress(3), COMPLETE]


def sent(made: FaultHooks, messages: list[Message], request: GenerationRequest = REQUEST) -> list[Message]:
    """What goes out for these events."""

    async def came() -> AsyncIterator[Message]:
        for message in messages:
            yield message

    async def gone() -> list[Message]:
        return [message async for message in made.messages(came(), request)]

    return asyncio.run(gone())


def kinds(name: str, messages: list[Message]) -> str:
    """The initials of the kinds of the events that go out."""
    return "".join(message.kind[0] for message in sent(hooks(name), messages))


def test_an_event_that_ends_a_stream_comes_at_its_place() -> None:
    assert kinds("engine-fails", STREAM) == "ppe"
    assert kinds("engine-fails@before:progress:2", STREAM) == "pe"


def test_an_event_that_ends_a_stream_comes_in_place_of_the_terminal_one() -> None:
    assert kinds("engine-fails", [progress(1), COMPLETE]) == "pe"
    assert kinds("engine-fails@after:complete", STREAM) == "pppe"
    assert kinds("engine-fails", [progress(1), ERROR]) == "pe"


def test_a_place_at_an_event_of_another_kind_changes_nothing() -> None:
    made = hooks("step-missing@event:4")
    assert sent(made, STREAM) == STREAM
    assert made.applied == 0
    made = hooks("step-missing@event:3")
    assert "step" not in sent(made, STREAM)[2].payload
    assert made.applied == 1


def test_previews_are_made_and_those_that_are_not_meant_are_left_out() -> None:
    made = hooks("first-preview-unasked")
    asked = made.asked(REQUEST)
    assert (asked.previews, asked.preview_stride) == (True, 1)
    gone = sent(made, [message.with_(image="AAAA") for message in STREAM])
    assert ["image" in message.payload for message in gone] == [True, False, False, True]
    assert made.applied == 1


def test_the_text_of_a_picture_is_changed_only_where_there_is_one() -> None:
    made = hooks("image-as-data-url@progress:1")
    assert sent(made, STREAM) == STREAM
    assert made.applied == 0
    assert sent(hooks("image-as-data-url"), STREAM)[3].payload["image"] == "data:image/png;base64,AAAA"


def test_only_requests_with_the_field_are_told_otherwise() -> None:
    pictures.asked("GEN-PIC-12", given="mask", name="made-up-mask", sentence="Masks.")(
        lambda request: replace(request, mask=None)
    )
    made = hooks("made-up-mask")
    assert made.asked(REQUEST) is REQUEST
    masked = GenerationRequest(prompt="x", seed=3, mask=np.zeros((8, 8), np.uint8))
    assert made.asked(masked).mask is None
    assert made.applied == 1


@dataclass(frozen=True, eq=False)
class Done:
    step: int
    total_steps: int = 3
    preview: None = None


class Fails:
    """An engine that fails after two steps."""

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        yield Done(1)
        yield Done(2)
        raise EngineError("no memory")


def worked(made: FaultHooks) -> tuple[list[int], str]:
    """The steps that come, and the failure at last."""
    steps: list[int] = []
    try:
        for done in made.works(Fails(), REQUEST, lambda: False):
            assert isinstance(done, Step)
            steps.append(done.step)
    except EngineError as failure:
        return steps, str(failure)
    return steps, ""


def test_steps_and_failures_are_those_that_the_function_gives() -> None:
    @pictures.works("GEN-PIC-07", name="made-up-other", sentence="Something.")
    def other(hooks: FaultHooks, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Work:
        yield next(engine.generate(request, cancelled))
        hooks.happened()
        yield Done(request.steps)
        raise EngineError("other")

    made = hooks("made-up-other")
    assert worked(made) == ([1, 3], "other")
    assert made.applied == 1
