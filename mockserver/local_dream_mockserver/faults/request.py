"""What the files need that are still to become functions."""

from __future__ import annotations

import json
from collections.abc import Callable

from local_dream_mockserver.faults.bodies import Meant, Taken, sent
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.errors import APIError


class TakenFor(Taken):
    """Takes some refused requests for a certain body."""

    def __init__(self, place: Trigger | None, meant: Meant, body: Callable[[bytes], bytes]) -> None:
        super().__init__(place)
        self.meant = meant
        self.body = body

    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        return self.body(body) if self.meant(problem) else None


def without(*fields: str) -> Callable[[bytes], bytes]:
    """The body without some fields."""
    return lambda body: json.dumps({name: value for name, value in sent(body).items() if name not in fields}).encode()
