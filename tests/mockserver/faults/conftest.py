"""Fixtures of the tests of faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_dream_mockserver.faults import catalogue


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Takes what a test has declared out of the catalogue again."""
    catalogue.entries()
    known = dict(catalogue._ENTRIES)
    yield
    catalogue._ENTRIES.clear()
    catalogue._ENTRIES.update(known)
