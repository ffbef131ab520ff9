"""Faults of whole answers as functions: in place of the application's, or made of it; and of heads of streams.

`on` are the paths (none: all), `methods` the methods (none: all). A hit is counted where the answer is another one.
Functions may leave out arguments at the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Unpack

from starlette.types import Message

from local_dream_mockserver.faults.effects.declare import (
    Decorator,
    Function,
    Selected,
    Visit,
    called,
    changed,
    visiting,
)
from local_dream_mockserver.faults.effects.requests import Refusals, meant, sent
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
    without,
)
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.extensions.remote_control import remote_of


def instead(*ids: str, **options: Unpack[Selected]) -> Decorator:
    """`(scope) -> Reply`: the answer in place of the application's, or None for that.

    The body is read before, unless the client waits to be told that it shall send it.
    """

    async def visit(it: Visit) -> None:
        reply: Reply | None = called(it.function, it.scope)
        if reply is None:
            await it.goes_on()
            return
        if not value_of(it.scope["headers"], b"expect"):  # reading asks a client that waits for 100 to send it
            await body_of(it.receive)
        it.hooks.happened()
        await reply.send(it.send)

    return visiting(visit, ids, options)


class Refused(Selected, Refusals, total=False):
    """Which requests are meant, and which refusals of them."""


def rewrite(*ids: str, statuses: tuple[int, ...] = (400,), **options: Unpack[Refused]) -> Decorator:
    """`(reply, problem, body) -> Reply`: another answer for one with these statuses that is no stream.

    `problem` is the APIError that it comes from, or None; `body` is that of the request, as far as it was read. With
    `codes` or `fields`: only those refusals, as in `effects.requests`.
    """

    def other(function: Function, honest: Reply, problem: APIError | None, body: bytes) -> Reply:
        if (options.get("codes") or options.get("fields")) and not (problem and meant(problem, options)):
            return honest
        reply: Reply = called(function, honest, problem, body)
        return reply

    return _rewriting(other, statuses, ids, options)


def document(*ids: str, **options: Unpack[Selected]) -> Decorator:
    """`(value, asked) -> value`: another JSON value in place of the one that is answered with status 200.

    `asked` is the JSON object of the request.
    """

    def other(function: Function, honest: Reply, problem: APIError | None, body: bytes) -> Reply:
        value = json.dumps(called(function, honest.json, sent(body)))
        return honest if value == json.dumps(honest.json) else replace(honest, body=value.encode())

    return _rewriting(other, (200,), ids, options)


def _rewriting(
    other: Callable[[Function, Reply, APIError | None, bytes], Reply],
    statuses: tuple[int, ...],
    ids: tuple[str, ...],
    options: Selected,
) -> Decorator:
    async def visit(it: Visit) -> None:
        asked = bytearray()

        def made(honest: Reply) -> Reply:
            return changed(it.hooks, honest, other(it.function, honest, refusal_of(it.scope), bytes(asked)))

        await it.app(it.scope, noted(it.receive, asked), rewriting(it.send, statuses, made))

    return visiting(visit, ids, options)


def headers(
    *ids: str, everywhere: bool = False, statuses: tuple[int, ...] = (), **options: Unpack[Selected]
) -> Decorator:
    """`(status, headers, scope) -> (status, headers)`: another head of an event stream or, everywhere, of any answer.

    `statuses` are those that are changed (none: all). Names of headers are in lower case.
    """

    async def visit(it: Visit) -> None:
        def other(status: int, headers: Headers) -> tuple[int, Headers]:
            if (statuses and status not in statuses) or not (everywhere or is_stream(headers)):
                return status, headers
            made: tuple[int, Headers] = called(it.function, status, headers, it.scope)
            return changed(it.hooks, (status, headers), made)

        await it.app(it.scope, it.receive, heading(it.send, other))

    return visiting(visit, ids, options)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer. Of answers below 400 the body is left out; `problem` is why it was refused."""

    client: tuple[str, int]
    """Address and port: one connection has one pair."""
    path: str
    body: bytes
    reply: Reply
    problem: APIError | None


def after(*ids: str, when: Callable[[Exchange], bool], **options: Unpack[Selected]) -> Decorator:
    """`(exchange, client) -> Reply`: the answer in place of the application's after an exchange, or None for that.

    `when` says which exchange, of any path; the latest one counts. `client` is who asks now, as in `Exchange`.
    """
    on = options.pop("on", ())

    async def visit(it: Visit) -> None:
        scope, earlier = it.scope, it.hooks.remembered
        reply: Reply | None = None
        if earlier and (not on or scope["path"] in on):
            reply = called(it.function, earlier, tuple(scope["client"]))
        if reply:
            await body_of(it.receive)
            it.hooks.happened()
            await reply.send(it.send)
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
                    it.hooks.remembered = exchange
            await it.send(message)

        await it.app(scope, noted(it.receive, asked), sending)

    return visiting(visit, ids, options)


def controls(*ids: str, **options: Unpack[Selected]) -> Decorator:
    """`(remote, values) -> None`: changes what runs once a POST to the control API was answered.

    `values` is the JSON object of the request, empty where there is none. A hit is counted where something else runs
    then, or is about to.
    """

    async def visit(it: Visit) -> None:
        asked = bytearray()
        await it.app(it.scope, noted(it.receive, asked), it.send)
        if remote := remote_of(it.scope):
            before = remote.runs, remote.last
            called(it.function, remote, sent(bytes(asked)))
            changed(it.hooks, before, (remote.runs, remote.last))

    return visiting(visit, ids, options)


def having(name: bytes, value: bytes) -> Callable[[int, Headers], tuple[int, Headers]]:
    """For `headers`: with another value of one that is there."""

    def other(status: int, headers: Headers) -> tuple[int, Headers]:
        return status, (*without(headers, name), (name, value)) if value_of(headers, name) else headers

    return other


def lacking(*names: bytes) -> Callable[[int, Headers], tuple[int, Headers]]:
    """For `headers`: without some of them."""
    return lambda status, headers: (status, without(headers, *names))


def with_status(status: int) -> Callable[[Reply], Reply]:
    """For `rewrite`: the refusal, in the envelope, with another status."""
    return lambda reply: Reply.of_error(status, reply.json["error"]["message"])
