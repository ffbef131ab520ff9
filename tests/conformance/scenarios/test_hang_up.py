"""What the scenario hang-up spends where the generation after the abandoned one begins late, and why it does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence.hang_up import hang_up
from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.catalogue import entries
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine, SyntheticPicture, SyntheticStep
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest
from tests.conformance.scenarios.running import run
from tests.matrix.standing import serving

PACE = 0.05


class FirstOfItsKindBeginsLate(SyntheticEngine):
    """Takes its time before the first generation of one step, as engines do that load or compile something for it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(Pacing(first=0, step=PACE))
        self._seconds = seconds

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        if request.steps == 1:
            time.sleep(self._seconds)
            self._seconds = 0.0
        yield from super().generate(request, cancelled)


class FirstIsSlow(SyntheticEngine):
    """Its machine does something else while it makes the first picture."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = 0

    @property
    def pacing(self) -> Pacing:
        return Pacing(first=0, step=10 * PACE if self._begun == 1 else PACE)

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        self._begun += 1
        yield from super().generate(request, cancelled)


def _hung_up(fault: str | None, engine: SyntheticEngine) -> dict[str, Exchange]:
    chosen = entries()[fault].make(None) if fault else FaultHooks(None)
    assert isinstance(chosen, FaultHooks)
    with serving(create_faulty_app(engine, None, lambda scope: chosen), chosen.http) as url:
        found, _ = run(url, "base", "hang-up")
    return found


def _in_time(found: dict[str, Exchange], suffix: str = "") -> bool:
    seen = hang_up(found[f"hang-up/abandoned{suffix}"], found[f"hang-up/next{suffix}"], found["base"])
    assert seen is not None
    assert seen.tells
    return seen.in_time


def test_a_prompt_server_is_asked_for_nothing_more() -> None:
    found = _hung_up(None, FirstOfItsKindBeginsLate(0.0))
    assert _in_time(found)
    assert not [label for label in found if label.endswith("-again")]


@pytest.mark.parametrize(("fault", "seconds", "in_time"), [(None, 4.5, True), ("hang-up-unnoticed", 0.0, False)])
def test_a_late_one_is_hung_up_on_once_more(fault: str | None, seconds: float, in_time: bool) -> None:
    found = _hung_up(fault, FirstOfItsKindBeginsLate(seconds))
    assert not _in_time(found)
    assert _in_time(found, "-again") is in_time
    for label in ("hang-up/abandoned", "hang-up/next"):
        assert found[f"{label}-again"].request.body == found[label].request.body


@pytest.mark.parametrize(("fault", "in_time"), [(None, True), ("hang-up-unnoticed", False)])
def test_one_that_is_over_too_soon_is_made_longer(fault: str | None, in_time: bool) -> None:
    found = _hung_up(fault, FirstIsSlow())
    seen = hang_up(found["hang-up/abandoned"], found["hang-up/next"], found["base"])
    assert seen is not None
    assert not seen.tells
    assert _in_time(found, "-again") is in_time
    few, many = (found[f"hang-up/abandoned{suffix}"].request.json["steps"] for suffix in ("", "-again"))
    assert few < many
