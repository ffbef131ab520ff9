"""Faults of what requests are taken for, and of what is refused, as functions.

Functions may leave out arguments at the end.

`codes` and `fields` say which refusals of the honest server are meant; `server/errors.py` has the codes. A hit is
counted where the outcome is another one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, Unpack

from starlette.types import Receive, Scope

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import (
    Decorator,
    Function,
    Options,
    Selected,
    Visit,
    called,
    changed,
    hooking,
    visiting,
)
from local_dream_mockserver.faults.effects.events import Messages
from local_dream_mockserver.faults.hooks import FaultHooks, Reader, hooked
from local_dream_mockserver.faults.middleware import body_of, replayed
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code

Body: TypeAlias = dict[str, Any]
"""The JSON object of a request."""


class Refusals(Options, total=False):
    """Which refusals are meant: for one of these reasons (none: for any), and of one of these fields (none: any)."""

    codes: tuple[Code, ...]
    fields: tuple[str, ...]


def taken(*ids: str, **options: Unpack[Refusals]) -> Decorator:
    """`(body, problem) -> bytes`: the body that a refused one is taken for, or None where the refusal stands."""
    return _taking(called, ids, options)


def mended(*ids: str, **options: Unpack[Refusals]) -> Decorator:
    """`(value, field) -> value`: what the field that is to blame is taken for; the same where the refusal stands."""

    def taken(function: Function, body: bytes, problem: APIError) -> bytes | None:
        value = sent(body).get(problem.field)
        other = called(function, value, problem.field)
        return with_values(body, **{problem.field: other}) if other != value else None

    return _taking(taken, ids, options)


def _taking(taken: Callable[..., bytes | None], ids: tuple[str, ...], options: Refusals) -> Decorator:
    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            mended = taken(function, body, problem) if meant(problem, options) else None
            if mended is None:
                raise
        request = read(function, self, mended, honest)
        self.happened()
        return request

    return hooking(ids, options, Layer.REQUEST, read=read)


def refusal(*ids: str, **options: Unpack[Refusals]) -> Decorator:
    """`(problem) -> APIError`: another refusal, such as `with_status` makes, or the same one."""

    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            other: APIError = called(function, problem) if meant(problem, options) else problem
            raise changed(self, problem, other) from None

    return hooking(ids, options, Layer.REQUEST, read=read)


def refused(
    *ids: str, status: int = 400, after: tuple[Code, ...] = (), always: bool = False, **options: Unpack[Options]
) -> Decorator:
    """`(values, request) -> str`: why a request is refused that the honest server takes, "" or None where it is taken.

    `values` is the JSON object that was sent. The refusal has `status`; the function may also give an APIError. With
    `after` only the first request is looked at that is taken after a refusal for one of these reasons. `always` counts
    a hit for each request that is looked at: for faults of requests that a suite may never send.
    """

    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            request = honest(body)
        except APIError as problem:
            self.remembered = self.remembered or problem.code in after
            raise
        looks, self.remembered = self.remembered or not after, None
        why: APIError | str | None = called(function, sent(body), request) if looks else None
        if why or (always and looks):
            self.happened()
        if why:
            raise why if isinstance(why, APIError) else APIError(status, why)
        return request

    return hooking(ids, options, Layer.REQUEST, read=read)


def after_hang_up(
    answer: APIError, meant: Callable[[GenerationRequest], bool] = lambda request: True, once: bool = False
) -> Callable[[], FaultHooks]:
    """For `whole`: after a client has hung up on a stream that it had begun to read, requests that are meant are
    refused, with `once` the first of them alone."""

    async def messages(hooks: FaultHooks, came: Messages, request: GenerationRequest) -> Messages:
        over = False
        try:
            async for message in came:
                over = over or message.kind != "progress"
                yield message
        finally:
            hooks.remembered = hooks.remembered or not over

    def read(hooks: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if not hooks.remembered or not meant(request):
            return request
        hooks.remembered = not once
        hooks.happened()
        raise answer

    return lambda: hooked(None, messages=messages, read=read)


def values(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(values) -> values`: another JSON object in place of the one that was sent, which the function may change."""

    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        before = sent(body)
        after = called(function, dict(before))
        if after == before:
            return honest(body)
        request = honest(json.dumps(after).encode())
        self.happened()
        return request

    return hooking(ids, options, Layer.REQUEST, read=read)


def accepted(*ids: str, **options: Unpack[Options]) -> Decorator:
    """`(request, values) -> request`: another request in place of the one that the JSON object `values` means."""

    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        other: GenerationRequest = called(function, request, sent(body))
        if other is not request:
            self.happened()
        return other

    return hooking(ids, options, Layer.REQUEST, read=read)


@dataclass(frozen=True)
class Incoming:
    """A request as the application gets it. Names of headers in lower case; of headers sent twice the last."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    async def of(cls, scope: Scope, receive: Receive) -> Incoming:
        """The request, once its body has been read."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        return cls(scope["method"], scope["path"], headers, await body_of(receive))

    def in_place_of(self, scope: Scope) -> Scope:
        """The scope of this request, which has a length, where another one came."""
        framed = {**self.headers, "content-length": str(len(self.body))}
        framed.pop("transfer-encoding", None)
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in framed.items()]
        return {**scope, "path": self.path, "headers": pairs}

    @property
    def fields(self) -> Body:
        """The JSON object in its body, {} where there is none."""
        return sent(self.body)

    def header(self, name: str) -> str:
        """The value of a header, "" where there is none."""
        return self.headers.get(name, "")

    def number(self, name: str) -> int:
        """A header as a number, 0 where it is none."""
        text = self.header(name)
        return int(text) if re.fullmatch(r"[0-9]{1,20}", text) else 0

    def with_headers(self, changed: Mapping[str, str]) -> Incoming:
        """The same with headers added or replaced."""
        return replace(self, headers={**self.headers, **changed})


def received(*ids: str, **options: Unpack[Selected]) -> Decorator:
    """`(incoming) -> incoming`: the request that the application gets in place of this one, whose body is read whole
    before."""

    async def visit(it: Visit) -> None:
        came = await Incoming.of(it.scope, it.receive)
        went: Incoming = changed(it.hooks, came, it.function(came))
        scope = it.scope if went == came else went.in_place_of(it.scope)
        await it.app(scope, replayed(went.body, it.receive), it.send)

    return visiting(visit, ids, options)


class AnyAnswer(APIError):
    """What is answered in place of a refusal, be it none."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, "", headers)
        self._body = body

    def body(self) -> bytes:
        return self._body


def in_stream(data: Mapping[str, object]) -> AnyAnswer:
    """An error event with this data in a stream, as a refusal."""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    text = json.dumps(data, separators=(",", ":"))
    return AnyAnswer(200, f"event: error\ndata: {text}\n\n".encode(), headers)


def sent(body: bytes) -> Body:
    """The JSON object in a body, {} where there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def with_values(body: bytes, **values: Any) -> bytes:
    """The body with values added or replaced."""
    return json.dumps({**sent(body), **values}).encode()


def without(values: Body, *names: str) -> Body:
    """The object without some members."""
    return {name: value for name, value in values.items() if name not in names}


def left_out(body: bytes, problem: APIError) -> bytes:
    """The body as if the field that is to blame had been left out; a prompt, which must be there, is any."""
    return with_prompt(body) if problem.field == "prompt" else json.dumps(without(sent(body), problem.field)).encode()


def with_prompt(body: bytes) -> bytes:
    """The body with a prompt; one that is no JSON object with nothing else."""
    return with_values(body, prompt="anything")


def with_status(status: int) -> Callable[[APIError], APIError]:
    """For `refusal`: the same with another status."""
    return lambda problem: APIError(status, problem.message, problem.headers, code=problem.code, field=problem.field)


def meant(problem: APIError, of: Refusals) -> bool:
    """Whether a refusal is one of these."""
    codes, fields = of.get("codes"), of.get("fields")
    return (not codes or problem.code in codes) and (not fields or problem.field in fields)
