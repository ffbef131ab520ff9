"""The honest server behind a front."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from local_dream_conformance.run.server_process import SERVERS, ServerProcess


@contextlib.contextmanager
def mock() -> Iterator[tuple[str, int]]:
    """Where the mock server listens, in a process of its own."""
    server = ServerProcess("mock", SERVERS["mock"])
    try:
        place = urlsplit(server.url)
        assert place.hostname is not None
        assert place.port is not None
        yield place.hostname, place.port
    finally:
        server.stop()
