"""Registers faults of POST /generate that are taken and must not be, or refused otherwise than with 400; and those of
the prompt."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from local_dream_mockserver.faults.bodies import Meant, OtherStatus, Taken, field_of, sent
from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.spec import fields_of

REQUEST = Layer.REQUEST
ANYTHING = b'{"prompt": "anything"}'
FIELDS = fields_of()


def status(name: str, sentence: str, breaks: tuple[str, ...], code: int, meant: Meant) -> None:
    """Registers a fault that refuses with another status than 400."""
    fault(name, sentence, layer=REQUEST, breaks=breaks)(partial(OtherStatus, status=code, meant=meant))


def about(field: str, words: str = "") -> Meant:
    """Refusals that name a field, and say these words."""
    return lambda problem: field_of(problem) == field and words in problem.message


def said(*words: str) -> Meant:
    """Refusals that say one of these words."""
    return lambda problem: any(word in problem.message for word in words)


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
    consequences: tuple[str, ...] = (),
) -> None:
    """Registers a fault that takes what is to be refused."""
    fault(name, sentence, layer=REQUEST, breaks=breaks, consequences=consequences)(
        partial(TakenFor, meant=meant, body=body)
    )


def whatever(body: bytes) -> bytes:
    """A body that is always taken."""
    return ANYTHING


def without(*fields: str) -> Callable[[bytes], bytes]:
    """The body without some fields."""
    return lambda body: json.dumps({name: value for name, value in sent(body).items() if name not in fields}).encode()


def with_prompt(body: bytes) -> bytes:
    """The body with a prompt."""
    return json.dumps({**sent(body), "prompt": "anything"}).encode()


taken(
    "prompt-optional",
    "A request without a prompt gets a picture of something.",
    ("GEN-REQ-01",),
    about("prompt", "missing"),
    with_prompt,
)
status(
    "prompt-missing-422",
    "A request without a prompt is refused with status 422.",
    ("GEN-REQ-01",),
    422,
    about("prompt", "missing"),
)


taken(
    "empty-prompt-painted",
    "An empty prompt gets a picture of something.",
    ("GEN-REQ-06",),
    about("prompt", "empty"),
    with_prompt,
)
status(
    "empty-prompt-500",
    "An empty prompt is answered with status 500.",
    ("GEN-REQ-06",),
    500,
    about("prompt", "empty"),
)
