"""Faults of what requests are taken for, and of what is refused, as functions.

Functions may leave out arguments at the end.

`codes` and `field` say which refusals of the honest server are meant: for one of these reasons (none: for any), and of
this field ("": of any). `server/errors.py` has the codes. A hit is counted where the outcome is another one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, Unpack

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects.declare import Decorator, Function, Options, called, hooking, visiting
from local_dream_mockserver.faults.effects.events import Messages
from local_dream_mockserver.faults.hooks import FaultHooks, Reader, hooked
from local_dream_mockserver.faults.middleware import body_of, replayed
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code

Body: TypeAlias = dict[str, Any]
"""The JSON object of a request."""


def taken(*ids: str, codes: tuple[Code, ...] = (), field: str = "", **options: Unpack[Options]) -> Decorator:
    """`(body, problem) -> bytes`: the body that a refused one is taken for, or None where the refusal stands."""

    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            mended = called(function, body, problem) if meant(problem, codes, field) else None
            if mended is None:
                raise
        request = read(function, self, mended, honest)
        self.happened()
        return request

    return hooking(ids, options, Layer.REQUEST, read=read)


def refusal(*ids: str, codes: tuple[Code, ...] = (), field: str = "", **options: Unpack[Options]) -> Decorator:
    """`(problem) -> APIError`: another refusal, such as `with_status` makes, or the same one."""

    def read(function: Function, self: FaultHooks, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError as problem:
            other: APIError = called(function, problem) if meant(problem, codes, field) else problem
            if other is not problem:
                self.happened()
            raise other from None

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

    def made() -> FaultHooks:
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

        return hooked(None, messages=messages, read=read)

    return made


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

    path: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, "" where there is none."""
        return self.headers.get(name, "")

    def with_headers(self, changed: Mapping[str, str]) -> Incoming:
        """The same with headers added or replaced."""
        return replace(self, headers={**self.headers, **changed})


def received(
    *ids: str,
    on: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    having: str = "",
    **options: Unpack[Options],
) -> Decorator:
    """`(incoming) -> incoming`: the request that the application gets in place of one of these paths and methods
    (none: all), having a header ("": any). Its body is read whole before."""

    async def visit(
        function: Function, self: FaultHooks, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        came = Incoming(scope["path"], headers, await body_of(receive))
        went: Incoming = function(came)
        if went != came:
            self.happened()
            framed = {**went.headers, "content-length": str(len(went.body))}
            framed.pop("transfer-encoding", None)
            pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in framed.items()]
            scope = {**scope, "path": went.path, "headers": pairs}
        await app(scope, replayed(went.body, receive), send)

    return visiting(visit, ids, options, on, methods, having)


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


def without(body: bytes, *fields: str) -> bytes:
    """The body without some fields."""
    return json.dumps({name: value for name, value in sent(body).items() if name not in fields}).encode()


def left_out(body: bytes, problem: APIError) -> bytes:
    """The body as if the field that is to blame had been left out; a prompt, which must be there, is any."""
    return with_prompt(body) if problem.field == "prompt" else without(body, problem.field)


def with_prompt(body: bytes) -> bytes:
    """The body with a prompt."""
    return with_values(body, prompt="anything")


def whatever() -> bytes:
    """A body that is always taken."""
    return with_prompt(b"")


def with_status(problem: APIError, status: int) -> APIError:
    """The same refusal with another status."""
    return APIError(status, problem.message, problem.headers, code=problem.code, field=problem.field)


def meant(problem: APIError, codes: tuple[Code, ...], field: str) -> bool:
    """Whether a refusal is for one of these reasons (none: for any) and of this field ("": of any)."""
    return (not codes or problem.code in codes) and (not field or problem.field == field)
