"""What can be done around the whole application: answers in its place, other heads, other bodies."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from starlette.types import Message, Receive, Scope, Send

from local_dream_mockserver.server.errors import APIError

Header: TypeAlias = tuple[bytes, bytes]
Headers: TypeAlias = tuple[Header, ...]
STREAM = b"text/event-stream"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. Names of headers in lower case."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    @classmethod
    def of(cls, status: int, kind: str, body: bytes, *headers: Header) -> Reply:
        """An answer with a media type."""
        return cls(status, ((b"content-type", kind.encode()), *headers), body)

    @classmethod
    def of_json(cls, status: int, value: Any, *headers: Header) -> Reply:
        return cls.of(status, "application/json", json.dumps(value).encode(), *headers)

    @classmethod
    def of_error(cls, status: int, message: str, *headers: Header) -> Reply:
        """An answer with the error envelope."""
        return cls.of(status, "application/json", APIError(status, message).body(), *headers)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def without(self, *names: bytes) -> Reply:
        return replace(self, headers=without(self.headers, *names))

    def plus(self, *headers: Header) -> Reply:
        return replace(self, headers=self.headers + headers)

    async def send(self, send: Send) -> None:
        """Sends it with the length of its body, unless a header says another."""
        headers = list(self.headers)
        if not value_of(headers, b"content-length"):
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def without(headers: Sequence[Header], *names: bytes) -> Headers:
    return tuple(header for header in headers if header[0] not in names)


def value_of(headers: Sequence[Header], name: bytes) -> bytes:
    """The first value, b"" where there is none."""
    return next((value for key, value in headers if key == name), b"")


def lowered(headers: Sequence[Header]) -> Headers:
    """The headers with their names in lower case."""
    return tuple((name.lower(), value) for name, value in headers)


def is_stream(headers: Sequence[Header]) -> bool:
    """Whether these are the headers of an event stream. Names in lower case."""
    return value_of(headers, b"content-type").startswith(STREAM)


def refusal_of(scope: Scope) -> APIError | None:
    """Why the application has refused the request, None where it has not."""
    refusal = scope.get("state", {}).get("refusal")
    return refusal if isinstance(refusal, APIError) else None


async def body_of(receive: Receive) -> bytes:
    """The body of a request, as far as it comes."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, then what follows it."""
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


def noted(receive: Receive, body: bytearray) -> Receive:
    """The same, adding what is read of the body to `body`."""

    async def receiving() -> Message:
        message = await receive()
        body.extend(message.get("body", b""))
        return message

    return receiving


def rewriting(send: Send, statuses: Collection[int], other: Callable[[Reply], Reply]) -> Send:
    """Sends another answer for each of these statuses that is no stream, once all of it is there.

    `other` makes it of the application's, which has no Content-Length.
    """
    head: Message = {}
    body = bytearray()

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] in statuses and not is_stream(message["headers"]):
                head.update(message)
                return
        elif head:
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                honest = Reply(head["status"], without(lowered(head["headers"]), b"content-length"), bytes(body))
                reply = other(honest)
                await reply.plus(*_for_other_origins(honest, reply)).send(send)
            return
        await send(message)

    return sending


def heading(send: Send, other: Callable[[int, Headers], tuple[int, Headers]]) -> Send:
    """Sends another head for each answer: `other` makes its status and headers of the application's."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            status, headers = other(message["status"], lowered(message["headers"]))
            message = {**message, "status": status, "headers": list(headers)}
        await send(message)

    return sending


def _for_other_origins(honest: Reply, reply: Reply) -> Headers:
    """The headers that let pages of other origins read an answer, where the other one lacks them."""
    known = {name for name, _ in reply.headers}
    return tuple(h for h in honest.headers if h[0].startswith((b"access-control-", b"vary")) and h[0] not in known)
