"""What the scenario hang-up spends where the generation after the abandoned one begins late, and why it does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence.hang_up import HangUp, hang_up
from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.catalogue import entries
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine, SyntheticPicture, SyntheticStep
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest
from tests.conformance.scenarios.running import run
from tests.matrix.standing import serving

PACE = 0.05


class OneStepBeginsLate(SyntheticEngine):
    """Takes its time before a generation of one step, as engines do that compile something for its kind of request."""

    def __init__(self, seconds: float) -> None:
        super().__init__(Pacing(first=0, step=PACE))
        self._seconds = seconds

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        if request.steps == 1:
            time.sleep(self._seconds)
        yield from super().generate(request, cancelled)


def _hung_up(fault: str | None, seconds: float) -> tuple[dict[str, Exchange], HangUp]:
    honest = FaultHooks(None)
    chosen = entries()[fault].make(None) if fault else honest
    assert isinstance(chosen, FaultHooks)
    with serving(create_faulty_app(OneStepBeginsLate(seconds), None, lambda scope: chosen), chosen.http) as url:
        found, _ = run(url, "base", "hang-up")
    seen = hang_up(found["hang-up/abandoned"], found["hang-up/next"], found["base"], found.get("hang-up/alone"))
    assert seen is not None
    assert seen.tells
    return found, seen


def test_a_prompt_server_is_asked_for_nothing_more() -> None:
    found, seen = _hung_up(None, 0.0)
    assert "hang-up/alone" not in found
    assert seen.in_time


@pytest.mark.parametrize(("fault", "seconds", "in_time"), [(None, 4.5, True), ("hang-up-unnoticed", 0.0, False)])
def test_a_late_one_is_asked_again_with_nothing_before(fault: str | None, seconds: float, in_time: bool) -> None:
    found, seen = _hung_up(fault, seconds)
    assert found["hang-up/alone"].request.body == found["hang-up/next"].request.body
    assert seen.in_time is in_time
