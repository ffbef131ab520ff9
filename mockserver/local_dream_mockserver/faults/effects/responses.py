"""Faults of whole answers as functions: in place of the application's, or made of it; and of heads of streams.

`on` are the paths (none: all), `methods` the methods (none: all). A hit is counted where the answer is another one.
Functions may leave out arguments at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar, Unpack

from starlette.types import Scope

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.middleware import (
    Header,
    ReplaceResponse,
    Reply,
    RequestMiddleware,
    RewriteHeaders,
    RewriteResponse,
    refusal_of,
)
from local_dream_mockserver.proxy.trigger import Trigger

F = TypeVar("F", bound=Callable[..., Any])
Function: TypeAlias = Callable[..., Any]
Headers: TypeAlias = tuple[Header, ...]


class Instead(ReplaceResponse):
    """Answers by a function of the ASGI scope."""

    function: Function

    def reply(self, scope: Scope) -> Reply | None:
        reply: Reply | None = called(self.function, scope)
        return reply


class Rewritten(RewriteResponse):
    """Answers by a function of the honest answer, and of the refusal that it is."""

    function: Function

    def rewritten(self, reply: Reply, scope: Scope) -> Reply:
        other: Reply = called(self.function, reply, refusal_of(scope))
        return other


class OtherHeaders(RewriteHeaders):
    """Sends heads by a function of status and headers."""

    function: Function
    everywhere: bool

    def concerns(self, status: int, headers: Sequence[Header]) -> bool:
        return self.everywhere or super().concerns(status, headers)

    def headed(self, status: int, headers: Headers) -> tuple[int, Headers]:
        other: tuple[int, Headers] = self.function(status, headers)
        return other


def instead(
    *ids: str, on: tuple[str, ...] = (), methods: tuple[str, ...] = (), **options: Unpack[Options]
) -> Callable[[F], F]:
    """`(scope) -> Reply`: the answer in place of the application's, or None for that."""
    return _declared(Instead, ids, options, paths=on, methods=methods)


def rewrite(
    *ids: str,
    on: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    statuses: tuple[int, ...] = (400,),
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`(reply, problem) -> Reply`: another answer for one with these statuses that is no stream.

    `problem` is the APIError that it comes from, or None.
    """
    return _declared(Rewritten, ids, options, paths=on, methods=methods, statuses=statuses)


def headers(*ids: str, everywhere: bool = False, **options: Unpack[Options]) -> Callable[[F], F]:
    """`(status, headers) -> (status, headers)`: another head of an event stream or, everywhere, of any answer.

    Names of headers are in lower case.
    """
    return _declared(OtherHeaders, ids, options, everywhere=everywhere)


def _declared(
    kind: type[RequestMiddleware], ids: tuple[str, ...], options: Options, **fields: object
) -> Callable[[F], F]:
    def make(place: Trigger | None, function: Function) -> RequestMiddleware:
        made = kind(place)
        for name, value in {**fields, "function": function}.items():
            setattr(made, name, value)
        return made

    return lambda function: declare(function, ids, options, make, Layer.REQUEST)
