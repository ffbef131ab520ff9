"""Faults of what POST /generate takes and refuses, as functions. Functions may leave out arguments at the end.

`codes` and `field` say which refusals of the honest server are meant: for one of these reasons (none: for any), and of
this field ("": of any). `server/errors.py` has the codes. A hit is counted where the outcome is another one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, Unpack

from local_dream_mockserver.faults.bodies import sent
from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code

Read: TypeAlias = Callable[["Requests", bytes, Reader], GenerationRequest]
F = TypeVar("F", bound=Callable[..., Any])
Function: TypeAlias = Callable[..., Any]


class Requests(FaultHooks):
    """Reads requests by a function of this object, the body, and the honest reader."""

    def __init__(self, place: Trigger | None, read: Read) -> None:
        super().__init__(place)
        self._read = read

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        return self._read(self, body, honest)


def taken(*ids: str, codes: tuple[Code, ...] = (), field: str = "", **options: Unpack[Options]) -> Callable[[F], F]:
    """`(body, problem) -> bytes`: the body that a refused one is taken for, or None where the refusal stands."""

    def read(function: Function, self: Requests, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            mended = called(function, body, problem) if _meant(problem, codes, field) else None
            if mended is None:
                raise
        request = read(function, self, mended, honest)
        self.happened()
        return request

    return _declared(read, ids, options)


def refusal(*ids: str, codes: tuple[Code, ...] = (), field: str = "", **options: Unpack[Options]) -> Callable[[F], F]:
    """`(problem) -> APIError`: another refusal, such as `with_status` makes."""

    def read(function: Function, self: Requests, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            if not _meant(problem, codes, field):
                raise
            other: APIError = called(function, problem)
        self.happened()
        raise other

    return _declared(read, ids, options)


def refused(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(values, request) -> APIError`: why a request is refused that the honest server takes, or None where it is
    taken. `values` is the JSON object that was sent."""

    def read(function: Function, self: Requests, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        problem: APIError | None = called(function, sent(body), request)
        if problem is None:
            return request
        self.happened()
        raise problem

    return _declared(read, ids, options)


def values(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(values) -> values`: another JSON object in place of the one that was sent, which the function may change."""

    def read(function: Function, self: Requests, body: bytes, honest: Reader) -> GenerationRequest:
        before = sent(body)
        after = called(function, dict(before))
        if after == before:
            return honest(body)
        request = honest(json.dumps(after).encode())
        self.happened()
        return request

    return _declared(read, ids, options)


def accepted(*ids: str, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(request, values) -> request`: another request in place of the one that the JSON object `values` means."""

    def read(function: Function, self: Requests, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        other: GenerationRequest = called(function, request, sent(body))
        if other is not request:
            self.happened()
        return other

    return _declared(read, ids, options)


def with_status(problem: APIError, status: int) -> APIError:
    """The same refusal with another status."""
    return APIError(status, problem.message, problem.headers, code=problem.code, field=problem.field)


def _meant(problem: APIError, codes: tuple[Code, ...], field: str) -> bool:
    return (not codes or problem.code in codes) and (not field or problem.field == field)


def _declared(read: Callable[..., GenerationRequest], ids: tuple[str, ...], options: Options) -> Callable[[F], F]:
    def make(place: Trigger | None, function: Function) -> Requests:
        return Requests(place, lambda self, body, honest: read(function, self, body, honest))

    return lambda function: declare(function, ids, options, make, Layer.REQUEST)
