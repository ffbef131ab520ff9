"""The pytest fixture for people who test clients. Nothing heavy is imported before a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local_dream_mockserver.mock.mock import Mock


@pytest.fixture
def local_dream_mock() -> Iterator[Mock]:
    """A Local Dream server on a free port, for this test alone: `url`, `fault`, `quirk`, `script`, `requests`."""
    from local_dream_mockserver.mock.mock import running_mock

    with running_mock() as mock:
        yield mock
