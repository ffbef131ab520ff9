"""Faults of whole answers as functions: in place of the application's, or made of it; and of heads of streams.

`on` are the paths (none: all), `methods` the methods (none: all). A hit is counted where the answer is another one.
Functions may leave out arguments at the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Unpack

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.faults.effects.declare import Decorator, Function, Options, called, visiting
from local_dream_mockserver.faults.effects.requests import meant, sent
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.middleware import (
    Headers,
    Reply,
    body_of,
    heading,
    is_stream,
    noted,
    refusal_of,
    rewriting,
    value_of,
)
from local_dream_mockserver.server.errors import APIError, Code


def instead(
    *ids: str, on: tuple[str, ...] = (), methods: tuple[str, ...] = (), having: str = "", **options: Unpack[Options]
) -> Decorator:
    """`(scope) -> Reply`: the answer in place of the application's, or None for that.

    It is that of requests having a header ("": any).
    The body is read before, unless the client waits to be told that it shall send it.
    """

    async def visit(
        function: Function, self: FaultHooks, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        reply: Reply | None = called(function, scope)
        if reply is None:
            await app(scope, receive, send)
            return
        if not value_of(scope["headers"], b"expect"):  # reading asks a client that waits for 100 to send it
            await body_of(receive)
        self.happened()
        await reply.send(send)

    return visiting(visit, ids, options, on, methods, having)


def rewrite(
    *ids: str,
    on: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    statuses: tuple[int, ...] = (400,),
    codes: tuple[Code, ...] = (),
    field: str = "",
    **options: Unpack[Options],
) -> Decorator:
    """`(reply, problem, body) -> Reply`: another answer for one with these statuses that is no stream.

    `problem` is the APIError that it comes from, or None; `body` is that of the request, as far as it was read. With
    `codes` or `field`: only those refusals, as in `effects.requests`.
    """

    async def visit(
        function: Function, self: FaultHooks, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        asked = bytearray()

        def other(honest: Reply) -> Reply:
            problem = refusal_of(scope)
            if (codes or field) and not (problem and meant(problem, codes, field)):
                return honest
            reply: Reply = called(function, honest, problem, bytes(asked))
            if reply != honest:
                self.happened()
            return reply

        await app(scope, noted(receive, asked), rewriting(send, statuses, other))

    return visiting(visit, ids, options, on, methods)


def document(
    *ids: str, on: tuple[str, ...] = (), methods: tuple[str, ...] = (), **options: Unpack[Options]
) -> Decorator:
    """`(value, asked) -> value`: another JSON value in place of the one that is answered with status 200.

    `asked` is the JSON object of the request.
    """

    async def visit(
        function: Function, self: FaultHooks, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        asked = bytearray()

        def other(honest: Reply) -> Reply:
            value = json.dumps(called(function, honest.json, sent(bytes(asked))))
            if value == json.dumps(honest.json):
                return honest
            self.happened()
            return replace(honest, body=value.encode())

        await app(scope, noted(receive, asked), rewriting(send, (200,), other))

    return visiting(visit, ids, options, on, methods)


def headers(
    *ids: str,
    everywhere: bool = False,
    on: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    statuses: tuple[int, ...] = (),
    **options: Unpack[Options],
) -> Decorator:
    """`(status, headers, scope) -> (status, headers)`: another head of an event stream or, everywhere, of any answer.

    `statuses` are those that are changed (none: all). Names of headers are in lower case.
    """

    async def visit(
        function: Function, self: FaultHooks, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        def other(status: int, headers: Headers) -> tuple[int, Headers]:
            if (statuses and status not in statuses) or not (everywhere or is_stream(headers)):
                return status, headers
            made: tuple[int, Headers] = called(function, status, headers, scope)
            if made != (status, headers):
                self.happened()
            return made

        await app(scope, receive, heading(send, other))

    return visiting(visit, ids, options, on, methods)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer. Of answers below 400 the body is left out; `problem` is why it was refused."""

    client: tuple[str, int]
    """Address and port: one connection has one pair."""
    path: str
    body: bytes
    reply: Reply
    problem: APIError | None


def after(
    *ids: str, when: Callable[[Exchange], bool], on: tuple[str, ...] = (), **options: Unpack[Options]
) -> Decorator:
    """`(exchange, client) -> Reply`: the answer in place of the application's after an exchange, or None for that.

    `when` says which exchange, of any path; the latest one counts. `client` is who asks now, as in `Exchange`.
    """

    async def visit(
        function: Function, self: FaultHooks, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        earlier: Exchange | None = self.remembered
        if earlier and (not on or scope["path"] in on):
            reply: Reply | None = called(function, earlier, tuple(scope["client"]))
            if reply:
                await body_of(receive)
                self.happened()
                await reply.send(send)
                return
        asked, answered, head = bytearray(), bytearray(), Reply(0)

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
                if when(exchange):
                    self.remembered = exchange
            await send(message)

        await app(scope, noted(receive, asked), sending)

    return visiting(visit, ids, options)


def with_status(reply: Reply, status: int) -> Reply:
    """The refusal, in the envelope, with another status."""
    return Reply.of_error(status, reply.json["error"]["message"])
