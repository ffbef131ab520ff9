"""What can be done to the body of POST /generate before, and after, the honest server has looked at it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError

Body = dict[str, Any]


def sent(body: bytes) -> Body:
    """The JSON object in a body, {} where there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class Taken(FaultHooks, ABC):
    """Takes what the honest server refuses, where `mended` says what it is taken for."""

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            mended = self.mended(body, problem)
            if mended is None:
                raise
            request = self.read(mended, honest)
            self.happened()
            return request

    @abstractmethod
    def mended(self, body: bytes, problem: APIError) -> bytes | None:
        """The body that is read in place of the refused one, or None where the refusal stands."""


class Refused(FaultHooks, ABC):
    """Refuses what the honest server takes, where `why` has a reason."""

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        why = self.why(sent(body), request)
        if why is None:
            return request
        self.happened()
        raise why

    @abstractmethod
    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        """The refusal, or None."""


class Changed(FaultHooks, ABC):
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


Meant = Callable[[APIError], bool]


class OtherStatus(FaultHooks):
    """Refuses some requests with another status than 400."""

    def __init__(self, place: Trigger | None, status: int, meant: Meant, message: str = "") -> None:
        super().__init__(place)
        self.status = status
        self.meant = meant
        self.message = message

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            if not self.meant(problem):
                raise
            self.happened()
            message = self.message or problem.message
            raise APIError(self.status, message, problem.headers, code=problem.code, field=problem.field) from None
