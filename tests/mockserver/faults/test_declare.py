"""Functions as faults: what their names and docstrings become, and which of their arguments they may leave out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_dream_mockserver.faults import catalogue
from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk
from local_dream_mockserver.faults.effects import pictures, upscale
from local_dream_mockserver.faults.effects.declare import called
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest
from tests.mockserver.test_request_reader import READER

ANSWER = UpscaleAnswer(b"jpeg", 4, 4, 0.5)
ASKED = UpscaleRequest(1, 1, "default", False)


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Takes what a test has declared out of the catalogue again."""
    catalogue.entries()
    known = dict(catalogue._ENTRIES)
    yield
    catalogue._ENTRIES.clear()
    catalogue._ENTRIES.update(known)


def hooks(name: str) -> FaultHooks:
    made = catalogue.choose(name).make()
    assert isinstance(made, FaultHooks)
    return made


def test_name_sentence_and_requirements_are_those_of_the_function() -> None:
    @upscale.enlarged("UPS-ANS-02", "UPS-ANS-04")
    def made_up_fault(answer: UpscaleAnswer) -> UpscaleAnswer:
        """The first paragraph, over
        two lines.

        The second.
        """
        return answer

    entry = catalogue.entries()["made-up-fault"]
    assert isinstance(entry, Fault)
    assert entry.sentence == "The first paragraph, over two lines."
    assert entry.breaks == ("UPS-ANS-02", "UPS-ANS-04")
    assert entry.layer is Layer.UPSCALE
    assert made_up_fault(ANSWER) is ANSWER, "the decorator gives the function back"


def test_a_quirk_and_its_extensions_and_a_name_of_its_own() -> None:
    upscale.enlarged("GEN-PIC-08", quirk=True, extensions=("busy",), name="made-up-quirk", sentence="Odd.")(
        lambda answer: answer
    )
    entry = catalogue.entries()["made-up-quirk"]
    assert isinstance(entry, Quirk)
    assert (entry.discouraged, entry.extensions, entry.layer) == (("GEN-PIC-08",), ("busy",), Layer.EXTENSION)


def test_a_hit_is_a_difference() -> None:
    upscale.enlarged("UPS-ANS-02", name="made-up-same", sentence="Nothing.")(lambda answer: answer)
    upscale.enlarged("UPS-ANS-02", name="made-up-other", sentence="Something.")(
        lambda answer, request: UpscaleAnswer(answer.jpeg, request.width, 4, 0.5)
    )
    same, other = hooks("made-up-same"), hooks("made-up-other")
    assert same.upscaled(ANSWER, ASKED) is ANSWER
    assert other.upscaled(ANSWER, ASKED).width == 1
    assert (same.applied, other.applied) == (0, 1)


def test_each_server_has_a_state_of_its_own() -> None:
    seen: list[list[int]] = []

    @pictures.asked("GEN-PIC-07", state=list, name="made-up-state", sentence="Stateful.")
    def stateful(state: list[int], request: GenerationRequest) -> GenerationRequest:
        state.append(request.seed)
        seen.append(list(state))
        return request

    request = READER.read(b'{"prompt": "x", "seed": 3}')
    first, second = hooks("made-up-state"), hooks("made-up-state")
    first.asked(request)
    first.asked(request)
    second.asked(request)
    assert seen == [[3], [3, 3], [3]]


def test_functions_may_leave_out_arguments_at_the_end() -> None:
    assert called(lambda one: one, 1, 2) == 1
    assert called(lambda one, two: one + two, 1, 2) == 3
    assert called(lambda: 0, 1, 2) == 0
