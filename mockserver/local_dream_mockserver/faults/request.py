"""Registers faults of POST /generate that are taken and must not be, or refused otherwise than with 400; and those of
the prompt."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from local_dream_mockserver.faults.bodies import Meant, OtherStatus, Taken, sent
from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.spec import component

REQUEST = Layer.REQUEST
ANYTHING = b'{"prompt": "anything"}'
FIELDS = tuple(component("GenerateRequest")["properties"])


def status(name: str, sentence: str, breaks: tuple[str, ...], code: int, meant: Meant) -> None:
    """Registers a fault that refuses with another status than 400."""
    fault(name, sentence, layer=REQUEST, breaks=breaks)(partial(OtherStatus, status=code, meant=meant))


def about(field: str, *codes: Code) -> Meant:
    """Refusals of a field, for one of these reasons (none: for any)."""
    return lambda problem: problem.field == field and (not codes or problem.code in codes)


def because(*codes: Code) -> Meant:
    """Refusals for one of these reasons, of whatever field."""
    return lambda problem: problem.code in codes


class TakenFor(Taken):
    """Takes some refused requests for a certain body."""

    def __init__(self, place: Trigger | None, meant: Meant, body: Callable[[bytes], bytes]) -> None:
        super().__init__(place)
        self.meant = meant
        self.body = body

    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        return self.body(body) if self.meant(problem) else None


def taken(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    meant: Meant,
    body: Callable[[bytes], bytes],
) -> None:
    """Registers a fault that takes what is to be refused."""
    fault(name, sentence, layer=REQUEST, breaks=breaks)(partial(TakenFor, meant=meant, body=body))


def whatever(body: bytes) -> bytes:
    """A body that is always taken."""
    return ANYTHING


def without(*fields: str) -> Callable[[bytes], bytes]:
    """The body without some fields."""
    return lambda body: json.dumps({name: value for name, value in sent(body).items() if name not in fields}).encode()


def with_prompt(body: bytes) -> bytes:
    """The body with a prompt."""
    return json.dumps({**sent(body), "prompt": "anything"}).encode()
