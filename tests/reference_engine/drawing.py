"""Pictures by the engine, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from local_dream_reference.engine import Picture, ReferenceEngine, Step
from tests.reference_engine.requests import Ask


def events(engine: ReferenceEngine, ask: Ask) -> tuple[list[Step], Picture]:
    *steps, last = engine.generate(ask, lambda: False)
    assert isinstance(last, Picture)
    assert all(isinstance(step, Step) for step in steps)
    return [step for step in steps if isinstance(step, Step)], last


def draw(engine: ReferenceEngine, **fields: Any) -> NDArray[np.int16]:
    return events(engine, Ask(**fields))[1].rgb.astype(np.int16)
