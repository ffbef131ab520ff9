"""What can be done to the body of POST /generate before, and after, the honest server has looked at it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from mockserver.engine import GenerationRequest
from mockserver.faults.alteration import Alteration, Reader
from mockserver.faults.place import Place
from mockserver.problem import Problem

Body = dict[str, Any]

NOT_BASE64 = "not base64"
NOT_A_PICTURE = "not a picture"
WRONG_TYPE = "of the wrong type"
OUT_OF_RANGE = "out of range"


def sent(body: bytes) -> Body:
    """The JSON object in a body, {} where there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def field_of(problem: Problem) -> str:
    """The field that a refusal names, "" where it names none."""
    name, colon, _ = problem.message.partition(":")
    return name if colon and name.isidentifier() else ""


class Taken(Alteration, ABC):
    """Takes what the honest server refuses, where `mended` says what it is taken for."""

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except Problem as problem:
            mended = self.mended(body, problem)
            if mended is None:
                raise
            request = self.read(mended, honest)
            self.happened()
            return request

    @abstractmethod
    def mended(self, body: bytes, problem: Problem) -> bytes | None:
        """The body that is read in place of the refused one, or None where the refusal stands."""


class Refused(Alteration, ABC):
    """Refuses what the honest server takes, where `why` has a reason."""

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        why = self.why(sent(body), request)
        if why is None:
            return request
        self.happened()
        raise why

    @abstractmethod
    def why(self, body: Body, request: GenerationRequest) -> Problem | None:
        """The refusal, or None."""


class Changed(Alteration, ABC):
    """Reads another object than was sent, where `changed` says so."""

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        before = sent(body)
        after = self.changed(dict(before))
        if after == before:
            return honest(body)
        request = honest(json.dumps(after).encode())
        self.happened()
        return request

    @abstractmethod
    def changed(self, body: Body) -> Body:
        """The object that is read; the one that is given may be changed."""


Meant = Callable[[Problem], bool]


class OtherStatus(Alteration):
    """Refuses some requests with another status than 400."""

    def __init__(self, place: Place | None, status: int, meant: Meant, message: str = "") -> None:
        super().__init__(place)
        self.status = status
        self.meant = meant
        self.message = message

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except Problem as problem:
            if not self.meant(problem):
                raise
            self.happened()
            raise Problem(self.status, self.message or problem.message, problem.headers) from None
