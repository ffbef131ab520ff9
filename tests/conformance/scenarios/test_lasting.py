"""How long generations are made that must last while something else is done."""

from __future__ import annotations

import pytest

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.catalogue import entries
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from tests.conformance.scenarios.running import run, sent
from tests.matrix.standing import serving

PACE = 0.1


@pytest.mark.parametrize("late", [None, "events-in-pairs", "events-in-fives", "events-held-back"])
def test_events_that_come_together_do_not_make_steps_look_quick(late: str | None) -> None:
    chosen = entries()[late].make(None) if late else FaultHooks(None)
    assert isinstance(chosen, FaultHooks)
    engine = SyntheticEngine(Pacing(first=0, step=PACE))
    with serving(create_faulty_app(engine, None, lambda scope: chosen), chosen.http) as url:
        found, _ = run(url, "base", "queue")
    assert 8 <= sent(found["queue/first"])["steps"] <= 16
    assert found["queue/third"].status == 200
