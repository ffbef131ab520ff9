"""Functions as faults: what their names and docstrings become, and which of their arguments they may leave out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from local_dream_mockserver.faults import catalogue
from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk
from local_dream_mockserver.faults.effects import events, pictures, upscale
from local_dream_mockserver.faults.effects.declare import called, several, where, whole
from local_dream_mockserver.faults.effects.events import EVENTS
from local_dream_mockserver.faults.hooks import FaultHooks, hooked
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest
from tests.mockserver.faults.declared import hooks
from tests.mockserver.test_request_reader import READER

ANSWER = UpscaleAnswer(b"jpeg", 4, 4, 0.5)
ASKED = UpscaleRequest(1, 1, "default", False)


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


def test_a_table_gives_each_function_its_head() -> None:
    several(upscale.enlarged, "UPS-ANS-04", extensions=("busy",))(
        "made-up-first: The first.",
        lambda answer: replace(answer, width=1),
        "made-up-second (UPS-ANS-02, UPS-ANS-03): The second: with a colon (and brackets).",
        lambda answer: replace(answer, width=2),
    )
    first, second = (catalogue.entries()[f"made-up-{name}"] for name in ("first", "second"))
    assert isinstance(first, Fault)
    assert isinstance(second, Fault)
    assert (first.sentence, first.breaks, first.extensions) == ("The first.", ("UPS-ANS-04",), ("busy",))
    assert second.sentence == "The second: with a colon (and brackets)."
    assert second.breaks == ("UPS-ANS-04", "UPS-ANS-02", "UPS-ANS-03")
    assert [hooks(f"made-up-{name}").upscaled(ANSWER, ASKED).width for name in ("first", "second")] == [1, 2]


def test_a_row_may_have_options_of_its_own() -> None:
    several(upscale.enlarged, extensions=("busy",))(
        "made-up-of-all (UPS-ANS-02): With the options of all.",
        lambda answer: answer,
        "made-up-of-its-own (UPS-ANS-02): With another one.",
        where(lambda answer: replace(answer, width=7), extensions=("cors",)),
    )
    found = catalogue.entries()
    assert [found[name].extensions for name in ("made-up-of-all", "made-up-of-its-own")] == [("busy",), ("cors",)]
    assert hooks("made-up-of-its-own").upscaled(ANSWER, ASKED).width == 7


def test_a_head_says_the_place_and_what_is_a_quirk() -> None:
    several(events.event)(
        "made-up-placed@after:progress:2 (quirk, GEN-EVT-02): Odd there.",
        lambda message: message,
        "made-up-anywhere (quirk): Odd.",
        lambda message: message,
    )
    placed, anywhere = (catalogue.entries()[f"made-up-{name}"] for name in ("placed", "anywhere"))
    assert isinstance(placed, Quirk)
    assert isinstance(anywhere, Quirk)
    assert (str(placed.place), placed.discouraged, placed.units) == ("after:progress:2", ("GEN-EVT-02",), EVENTS)
    assert (anywhere.place, anywhere.discouraged, anywhere.units) == (None, (), ())


def test_extensions_are_those_of_the_requirements_unless_it_is_said() -> None:
    several(upscale.enlarged)(
        "made-up-of-two (EXT-BSY-01, EXT-COR-02, EXT-BSY-02): Two.",
        lambda answer: answer,
        "made-up-of-the-core (UPS-ANS-02): None.",
        lambda answer: answer,
    )
    several(upscale.enlarged, "EXT-WGT-02", extensions=("prompt_weights", "tokenize"))(
        "made-up-of-more: More than the requirement's own.",
        lambda answer: answer,
    )
    found = catalogue.entries()
    assert (found["made-up-of-two"].extensions, found["made-up-of-two"].layer) == (("busy", "cors"), Layer.EXTENSION)
    assert (found["made-up-of-the-core"].extensions, found["made-up-of-the-core"].layer) == ((), Layer.UPSCALE)
    assert found["made-up-of-more"].extensions == ("prompt_weights", "tokenize")


@pytest.mark.parametrize(
    "head",
    [
        *("no sentence", "Made-Up: In capitals.", "made-up ups-1: No brackets.", "made-up:"),
        *("made-up@: No place.", "made-up (GEN-EVT-02, quirk): Last.", "made-up (odd): Another word."),
    ],
)
def test_a_head_of_another_form_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match=f"{re.escape(head)}.* is not of the form"):
        several(upscale.enlarged)(head, lambda answer: answer)


def test_a_table_has_a_function_for_each_head() -> None:
    with pytest.raises(ValueError, match="shorter"):
        several(upscale.enlarged)("made-up: Nothing.")


def test_several_hooks_of_one_fault_share_an_object_for_each_server() -> None:
    @whole("GEN-DEF-11", layer=Layer.EVENT)
    def made_up() -> FaultHooks:
        """Two hooks."""

        def asked(hooks: FaultHooks, request: GenerationRequest) -> GenerationRequest:
            hooks.remembered = request.seed
            return request

        def upscaled(hooks: FaultHooks, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
            hooks.happened()
            return replace(answer, width=hooks.remembered)

        return hooked(None, asked=asked, upscaled=upscaled)

    first, second = hooks("made-up"), hooks("made-up")
    first.asked(READER.read(b'{"prompt": "x", "seed": 3}'))
    second.asked(READER.read(b'{"prompt": "x", "seed": 4}'))
    assert [one.upscaled(ANSWER, ASKED).width for one in (first, second)] == [3, 4]
    assert (first.applied, second.applied) == (1, 1)
    assert catalogue.entries()["made-up"].layer is Layer.EVENT


def test_functions_may_leave_out_arguments_at_the_end() -> None:
    assert called(lambda one: one, 1, 2) == 1
    assert called(lambda one, two: one + two, 1, 2) == 3
    assert called(lambda: 0, 1, 2) == 0
