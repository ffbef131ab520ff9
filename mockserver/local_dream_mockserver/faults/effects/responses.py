"""Faults of whole answers as functions: in place of the application's, or made of it; and of heads of streams.

`on` are the paths (none: all), `methods` the methods (none: all). A hit is counted where the answer is another one.
Functions may leave out arguments at the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar, Unpack

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Options, called, declare
from local_dream_mockserver.faults.effects.requests import meant, sent
from local_dream_mockserver.faults.middleware import (
    Header,
    ReplaceResponse,
    Reply,
    RequestMiddleware,
    RewriteHeaders,
    RewriteResponse,
    body_of,
    refusal_of,
)
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.errors import APIError, Code

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
    codes: tuple[Code, ...]
    field: str

    def rewritten(self, reply: Reply, body: bytes, scope: Scope) -> Reply:
        problem = refusal_of(scope)
        if (self.codes or self.field) and not (problem and meant(problem, self.codes, self.field)):
            return reply
        other: Reply = called(self.function, reply, problem, body)
        return other


class OtherDocument(RewriteResponse):
    """Answers another JSON value by a function of the honest one, and of the JSON object of the request."""

    function: Function

    def rewritten(self, reply: Reply, body: bytes, scope: Scope) -> Reply:
        other = json.dumps(called(self.function, reply.json, sent(body)))
        return reply if other == json.dumps(reply.json) else replace(reply, body=other.encode())


class OtherHeaders(RewriteHeaders):
    """Sends heads by a function of status and headers."""

    function: Function
    everywhere: bool
    statuses: tuple[int, ...]

    def concerns(self, status: int, headers: Sequence[Header]) -> bool:
        fits = not self.statuses or status in self.statuses
        return fits and (self.everywhere or super().concerns(status, headers))

    def headed(self, status: int, headers: Headers, scope: Scope) -> tuple[int, Headers]:
        other: tuple[int, Headers] = called(self.function, status, headers, scope)
        return other


def instead(
    *ids: str, on: tuple[str, ...] = (), methods: tuple[str, ...] = (), **options: Unpack[Options]
) -> Callable[[F], F]:
    """`(scope) -> Reply`: the answer in place of the application's, or None for that.

    The body is read before, unless the client waits to be told that it shall send it.
    """
    return _declared(Instead, ids, options, paths=on, methods=methods)


def rewrite(
    *ids: str,
    on: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    statuses: tuple[int, ...] = (400,),
    codes: tuple[Code, ...] = (),
    field: str = "",
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`(reply, problem, body) -> Reply`: another answer for one with these statuses that is no stream.

    `problem` is the APIError that it comes from, or None; `body` is that of the request, as far as it was read. With
    `codes` or `field`: only those refusals, as in `effects.requests`.
    """
    fields = {"paths": on, "methods": methods, "statuses": statuses, "codes": codes, "field": field}
    return _declared(Rewritten, ids, options, **fields)


def document(
    *ids: str, on: tuple[str, ...] = (), methods: tuple[str, ...] = (), **options: Unpack[Options]
) -> Callable[[F], F]:
    """`(value, asked) -> value`: another JSON value in place of the one that is answered with status 200.

    `asked` is the JSON object of the request.
    """
    return _declared(OtherDocument, ids, options, paths=on, methods=methods, statuses=(200,))


def headers(
    *ids: str,
    everywhere: bool = False,
    on: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    statuses: tuple[int, ...] = (),
    **options: Unpack[Options],
) -> Callable[[F], F]:
    """`(status, headers, scope) -> (status, headers)`: another head of an event stream or, everywhere, of any answer.

    `statuses` are those that are changed (none: all). Names of headers are in lower case.
    """
    fields = {"everywhere": everywhere, "paths": on, "methods": methods, "statuses": statuses}
    return _declared(OtherHeaders, ids, options, **fields)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer. Of answers below 400 the body is left out; `problem` is why it was refused."""

    client: tuple[str, int]
    """Address and port: one connection has one pair."""
    path: str
    body: bytes
    reply: Reply
    problem: APIError | None


class After(RequestMiddleware):
    """Answers in the application's place after an exchange that it waits for; the latest counts."""

    function: Function
    when: Callable[[Exchange], bool]
    on: tuple[str, ...]

    def __init__(self, place: Trigger | None = None) -> None:
        super().__init__(place)
        self.earlier: Exchange | None = None

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if self.earlier and (not self.on or scope["path"] in self.on):
            reply: Reply | None = called(self.function, self.earlier, tuple(scope["client"]))
            if reply:
                await body_of(receive)
                self.happened()
                await reply.send(send)
                return
        asked, answered, head = bytearray(), bytearray(), Reply(0)

        async def receiving() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            nonlocal head
            starts = message["type"] == "http.response.start"
            if starts:
                head = Reply(message["status"], tuple(message["headers"]))
            elif head.status >= 400:
                answered.extend(message.get("body", b""))
            if starts == (head.status < 400) and not message.get("more_body", False):
                reply = replace(head, body=bytes(answered))
                exchange = Exchange(tuple(scope["client"]), scope["path"], bytes(asked), reply, refusal_of(scope))
                self.earlier = exchange if self.when(exchange) else self.earlier
            await send(message)

        await app(scope, receiving, sending)


def after(
    *ids: str, when: Callable[[Exchange], bool], on: tuple[str, ...] = (), **options: Unpack[Options]
) -> Callable[[F], F]:
    """`(exchange, client) -> Reply`: the answer in place of the application's after an exchange, or None for that.

    `when` says which exchange, of any path; the latest one counts. `client` is who asks now, as in `Exchange`.
    """
    return _declared(After, ids, options, when=when, on=on)


def with_status(reply: Reply, status: int) -> Reply:
    """The refusal, in the envelope, with another status."""
    return Reply.of_error(status, reply.json["error"]["message"])


def _declared(
    kind: type[RequestMiddleware], ids: tuple[str, ...], options: Options, **fields: object
) -> Callable[[F], F]:
    def make(place: Trigger | None, function: Function) -> RequestMiddleware:
        made = kind(place)
        for name, value in {**fields, "function": function}.items():
            setattr(made, name, value)
        return made

    return lambda function: declare(function, ids, options, make, Layer.REQUEST)
