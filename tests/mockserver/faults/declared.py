"""The hooks of what is in the catalogue."""

from __future__ import annotations

from local_dream_mockserver.faults import catalogue
from local_dream_mockserver.faults.hooks import FaultHooks


def hooks(name: str) -> FaultHooks:
    """Those of an entry, at its own place."""
    made = catalogue.choose(name).make()
    assert isinstance(made, FaultHooks)
    return made
