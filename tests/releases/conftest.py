"""A server for each personality."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.faults.selection import Selection
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.config import ServerSettings
from tests.mockserver.live_server import running


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """A server for each personality."""
    with_them: dict[str, str] = {}
    running_ones = []
    for name, personality in personalities().items():
        alteration = personality.make()
        settings = ServerSettings(without=frozenset(personality.without))
        app = create_faulty_app(SyntheticEngine(Pacing(first=0, step=0)), settings, Selection([alteration]))
        one = running(app, http=alteration.http)
        running_ones.append(one)
        with_them[name] = one.__enter__()
    yield with_them
    for one in running_ones:
        one.__exit__(None, None, None)
