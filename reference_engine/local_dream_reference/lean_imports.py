"""diffusers and transformers, imported without what nothing here uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_scipy() -> Iterator[None]:
    """While inside, both are imported as where SciPy is not installed.

    They would import all of its statistics and optimisation (a fifth of the time that both take) for losses of object
    detectors and for one spacing of noise levels (beta) that no sampler here has. Afterwards they know of it again.
    """
    import diffusers.utils.import_utils as of_diffusers
    import transformers.utils as of_transformers

    places: list[tuple[Any, str, Any]] = [
        (of_diffusers, "_scipy_available", False),
        (of_transformers, "is_scipy_available", lambda: False),
        (of_transformers.import_utils, "is_scipy_available", lambda: False),
    ]
    before = [(place, name, getattr(place, name)) for place, name, _ in places if hasattr(place, name)]
    for place, name, value in places:
        if hasattr(place, name):  # other versions may call it something else, and are imported whole
            setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)
