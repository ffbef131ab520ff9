"""A recorded release of the real server, played: its framing, headers, field names, step arithmetic and error answers.
Bugs that kill the server are played only where that is asked for."""

from __future__ import annotations

import base64
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from local_dream_mockserver.faults.emulated import host_mode, tokenizing
from local_dream_mockserver.faults.emulated.counting import Counted, counted
from local_dream_mockserver.faults.emulated.decoding import fitted, grey
from local_dream_mockserver.faults.emulated.http_library import Connections, body_for, protocol_of, refused
from local_dream_mockserver.faults.emulated.reader import (
    ReleaseRequest,
    Wanted,
    failed,
    in_the_stream,
    wanted_of,
)
from local_dream_mockserver.faults.emulated.sensible import sensible
from local_dream_mockserver.faults.emulated.upscaling import HEIGHT, PATH, WIDTH, Upscale, upscale_of
from local_dream_mockserver.faults.emulated.version import Mode, Version
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import (
    STREAM,
    Header,
    Reply,
    body_of,
    refusal_of,
    replayed,
    value_of,
    without,
)
from local_dream_mockserver.server.engine import GenerationRequest, Rgb
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.extensions.remote_control import remote_of
from local_dream_mockserver.server.image_output import file_of

HEALTH, GENERATE, UPSCALE, TOKENIZE = "/health", "/generate", "/upscale", "/tokenize"
PICTURE = {"image", "format"}
ANYONE = (b"Access-Control-Allow-Origin", b"*")
EXPOSED = (b"Access-Control-Expose-Headers", b"X-Output-Width,X-Output-Height,X-Duration-Ms")
CORS = (
    (b"Access-Control-Allow-Methods", b"GET, POST, OPTIONS"),
    (b"Access-Control-Max-Age", b"86400"),
    (b"Access-Control-Allow-Headers", b"Content-Type, Authorization"),
)


class Release(FaultHooks):
    """One release in one mode."""

    def __init__(self, version: Version, mode: Mode, *, destructive: bool = False) -> None:
        super().__init__()
        self.version = version
        self.mode = mode
        self.destructive = destructive
        self._connections = Connections()
        self.http = protocol_of((ANYONE, *CORS) if version.cors else ())
        self._dying = False
        self._state: Wanted | None = None
        """What all generations share: the last request's."""
        self._busy: set[tuple[int, int]] = set()
        """Sizes of what is being generated, or was when its client hung up."""
        self._lock = threading.Lock()

    @property
    def _generates(self) -> bool:
        return self.mode is not Mode.UPSCALER

    @property
    def _routes(self) -> set[tuple[str, str]]:
        found = {("GET", HEALTH), ("HEAD", HEALTH), ("POST", UPSCALE)}
        if self._generates or self.version.upscaler_generates:
            found |= {("POST", GENERATE), ("POST", TOKENIZE)}
        return found

    # Requests

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        self.happened()
        version = self.version
        wanted = wanted_of(body, version, self.mode)
        if not wanted.prompt:
            raise in_the_stream(version.no_prompt)
        if not self._generates:
            raise in_the_stream("QNN CLIP missing")
        self._survive(wanted)
        request = honest(sensible(wanted, version))
        wanted = replace(wanted, seed=request.seed)
        with self._lock:
            self._state = wanted
        size = request.width, request.height
        image = None if wanted.image is None else fitted(wanted.image, size)
        mask = None if wanted.mask is None or image is None else grey(wanted.mask, size)
        return ReleaseRequest.of(replace(request, image=image, mask=mask), wanted)

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        return request.plain() if isinstance(request, ReleaseRequest) else request

    def _survive(self, wanted: Wanted) -> None:
        """Where a real server would die, so does this one, if it is told to be so. Raises APIError then."""
        with self._lock:
            clash = self.version.shared_state and any(0 in size and size != wanted.size for size in self._busy)
        if self.destructive and (min(wanted.size) < 0 or clash):
            self._dying = True
            raise failed("std::bad_alloc")

    # Events

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        assert isinstance(request, ReleaseRequest)
        wanted = request.wanted
        plan = counted(wanted, self.version)
        with self._lock:
            self._busy.add(wanted.size)
        for number, of in plan.before:
            yield _progress(number, of)
        if plan.failure:
            yield Message("error", "error", {"message": plan.failure, "type": "error"})
            return
        done = 0
        async for message in messages:
            if message.kind == "progress":
                until = plan.shown * message.payload["step"] // message.payload["total_steps"]
                for step in range(done + 1, until + 1):
                    yield self._step(step, plan, message, request)
                done = max(done, until)
            elif message.kind == "complete":
                with self._lock:
                    self._busy.discard(wanted.size)
                yield _progress(plan.last, plan.total)
                yield self._complete(message, request)
            else:
                yield _sorted(message)

    def _step(self, step: int, plan: Counted, message: Message, request: ReleaseRequest) -> Message:
        event = _progress(plan.number(step), plan.total)
        wanted = request.wanted
        if self.mode is Mode.MNN or not wanted.previews_at(step) or "image" not in message.payload:
            return event
        shown = _resized(message, request, wanted.size)
        return _sorted(event.with_(**{name: shown.payload[name] for name in PICTURE & shown.payload.keys()}))

    def _complete(self, message: Message, request: ReleaseRequest) -> Message:
        told = request.wanted
        if self.version.shared_state and self._state is not None:
            told = self._state
        shown = _resized(message, request, told.size)
        return _sorted(shown.with_(seed=told.seed, width=told.width, height=told.height))

    # HTTP

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            if (remote := remote_of(scope)) is not None:
                self.happened()
                await host_mode.answer(remote, scope, await body_of(receive)).send(send)
                return
            sending = partial(self._send, scope, send)
            body = await body_of(receive)
            status = refused(scope["method"], Headers(scope=scope), body)
            if status is not None:
                await Reply(status).send(sending)
            elif scope["method"] == "OPTIONS" and self.version.cors:
                await Reply(204).send(sending)
            elif (scope["method"], scope["path"]) not in self._routes:
                await Reply(404).send(sending)
            else:
                headers = without(scope["headers"], b"content-encoding", b"content-length")
                body = body_for(Headers(scope=scope), body)
                await self._routed(app, {**scope, "headers": headers}, body, receive, sending)

        return around

    async def _routed(self, app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        try:
            if scope["path"] == TOKENIZE:
                await (await self._tokenized(app, scope, body)).send(send)
            elif scope["path"] == UPSCALE:
                await self._upscaled(app, scope, body, receive, send)
            else:
                await app(scope, replayed(body, receive), send)
        except APIError as refusal:
            await refusal.response()(scope, receive, send)

    async def _send(self, scope: Scope, send: Send, message: AsgiMessage) -> None:
        """With the headers of the release."""
        if self._dying or self._connections.gone:
            self._dying = False
            with self._lock:
                self._busy.clear()
            if not self._connections.gone:
                self._connections.die()
            return
        if message["type"] == "http.response.start":
            headers = [(name.lower(), value) for name, value in message["headers"]]
            message = {**message, "headers": [*self._headers(scope, message["status"], headers)]}
        await send(message)

    def _headers(self, scope: Scope, status: int, headers: list[Header]) -> list[Header]:
        kind, length = value_of(headers, b"content-type"), value_of(headers, b"content-length")
        what = value_of(headers, b"exception_what")
        made: list[Header] = []
        if kind.startswith(STREAM):
            made = [ANYONE, (b"Connection", b"keep-alive"), (b"Cache-Control", b"no-cache")]
            made += [(b"Content-Type", STREAM)] * 2
        elif what:
            anyone = self.version.cors or scope["path"] == TOKENIZE
            made = [(b"EXCEPTION_WHAT", what), *([ANYONE] if anyone else [])]
        elif status == 200 and scope["path"] == UPSCALE:
            for name in (b"X-Duration-Ms", b"X-Output-Height", b"X-Output-Width"):
                made.append((name, value_of(headers, name.lower())))
            made += [EXPOSED, ANYONE, (b"Content-Type", b"image/jpeg")]
        elif kind and scope["path"] != HEALTH:
            made = [ANYONE, (b"Content-Type", b"application/json")]
        elif self.version.cors:
            made = [ANYONE]
        if scope["method"] == "HEAD":
            made.append((b"Accept-Ranges", b"bytes"))
        if length:
            made.append((b"Content-Length", length))
        return [*made, *CORS] if self.version.cors else made

    async def _tokenized(self, app: ASGIApp, scope: Scope, body: bytes) -> Reply:
        """Raises APIError."""
        prompt = tokenizing.prompt_of(body)
        if not self._generates:
            return tokenizing.compact({"count": tokenizing.EMPTY, "max_length": tokenizing.WINDOW})
        return await tokenizing.count(app, scope, prompt, overflow=self.version.overflow) or Reply(404)

    async def _upscaled(self, app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Reads the headers as the release does, and hands an honest request on. Raises APIError."""
        asked = upscale_of(scope["headers"], len(body), wraps=self.version.wraps)
        if not body and not asked.dies and not asked.known:
            raise asked.missing()  # a picture without a pixel is not enlarged before the model is looked for
        if asked.dies or not body:
            self._dying = self.destructive and asked.dies
            raise failed("std::bad_alloc")
        told = {WIDTH: b"%d" % asked.width, HEIGHT: b"%d" % asked.height, "Content-Length": b"%d" % len(body)}
        path = b"default" if asked.known else asked.path or b"?"
        headers = [(name.lower().encode(), value) for name, value in (told | {PATH: path}).items()]
        failed_honestly = False

        async def sending(message: AsgiMessage) -> None:
            nonlocal failed_honestly
            failed_honestly |= message["type"] == "http.response.start" and message["status"] >= 400
            if not failed_honestly:
                await send(message)

        inner = {**scope, "headers": headers}
        await app(inner, replayed(body, receive), sending)
        if failed_honestly:
            raise _problem(inner, asked)


def _problem(scope: Scope, asked: Upscale) -> APIError:
    """The release's words for why the honest server has not enlarged a picture. Raises APIError where it has none."""
    refusal = refusal_of(scope)
    missing = refusal is None or refusal.code in (Code.NO_SUCH_THING, Code.ENGINE) or refusal.field == PATH
    return asked.missing() if missing else failed("std::bad_alloc")


def _resized(message: Message, request: ReleaseRequest, size: tuple[int, int]) -> Message:
    """The event with its picture in another size: cut, or stretched where it is too small."""
    rgb = message.picture((request.width, request.height))
    if rgb is None or size == (request.width, request.height):
        return message
    data = b"" if min(size) < 1 else file_of(_cut(rgb, size), str(message.payload.get("format", "raw")))
    return message.with_(image=base64.b64encode(data).decode())


def _cut(rgb: Rgb, size: tuple[int, int]) -> Rgb:
    width, height = size
    if rgb.shape[0] >= height and rgb.shape[1] >= width:
        return np.ascontiguousarray(rgb[:height, :width])
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.NEAREST))


def _progress(step: int, total: int) -> Message:
    return Message("progress", "progress", {"step": step, "total_steps": total, "type": "progress"})


def _sorted(message: Message) -> Message:
    """With the keys in the order in which the JSON library writes them."""
    return replace(message, payload=dict(sorted(message.payload.items())))
