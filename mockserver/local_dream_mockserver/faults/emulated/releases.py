"""The recorded releases 2.4.3 and 2.7 of the real server, as personalities: its framing, headers, field names, step
arithmetic and error answers, bugs that are not dangerous included."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from local_dream_mockserver.faults.emulated.reader import HEIGHT, PATH, WIDTH, Refusal, parsed, read, size_of, string_of
from local_dream_mockserver.faults.emulated.release import PERSONALITIES, EmulatedRelease
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import STREAM, Header, Reply, body_of, replayed, reply_of, value_of
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError

ROUTES = {("GET", "/health"), ("HEAD", "/health"), ("POST", "/generate"), ("POST", "/upscale"), ("POST", "/tokenize")}
PICTURE = {"image", "format"}
ANYONE = (b"Access-Control-Allow-Origin", b"*")
EXPOSED = (b"Access-Control-Expose-Headers", b"X-Output-Width,X-Output-Height,X-Duration-Ms")
CORS = (
    (b"Access-Control-Allow-Methods", b"GET, POST, OPTIONS"),
    (b"Access-Control-Max-Age", b"86400"),
    (b"Access-Control-Allow-Headers", b"Content-Type, Authorization"),
)


@dataclass(frozen=True)
class Version:
    """In what the releases differ."""

    without: frozenset[str]
    """Extensions that it does not have. Of schedulers it has lcm alone."""
    overflow: bool
    """Whether /tokenize says where a prompt grows too long."""
    mask_needs_image: bool
    no_prompt: str

    @property
    def cors(self) -> bool:
        """CORS headers on every answer, and preflights."""
        return "cors" not in self.without

    @property
    def formats(self) -> bool:
        """`output_format` and `preview_format`, and `format` in events."""
        return "formats" not in self.without


class Release(FaultHooks):
    """One release."""

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.version = version

    # Requests

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        self.happened()
        version = self.version
        return read(
            body,
            honest,
            formats=version.formats,
            mask_needs_image=version.mask_needs_image,
            no_prompt=version.no_prompt,
        )

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        return replace(request, preview_stride=1)

    # Events

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        steps, total, before = _counted(request)
        for number, of in before:
            yield _progress(number, of)
        done = 0
        async for message in messages:
            if message.kind == "progress":
                until = steps * message.payload["step"] // message.payload["total_steps"]
                for step in range(done + 1, until + 1):
                    shown = PICTURE & message.payload.keys() if request.previews_at(step) else ()
                    preview = {name: message.payload[name] for name in shown}
                    yield _sorted(_progress(step + len(before) - 1, total).with_(**preview))
                done = until
            elif message.kind == "complete":
                yield _progress(total, total)
                yield _sorted(message)
            else:
                yield _sorted(message)

    # HTTP

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            sending = partial(self._send, scope, send)
            route = scope["method"], scope["path"]
            if scope["method"] == "OPTIONS" and self.version.cors:
                await body_of(receive)
                await Reply(204).send(sending)
            elif route not in ROUTES:
                await body_of(receive)
                await Reply(404).send(sending)
            elif scope["path"] == "/tokenize":
                await (await self._tokenize(app, scope, receive)).send(sending)
            elif scope["path"] == "/upscale":
                await self._upscale(app, scope, receive, sending)
            else:
                await app(scope, receive, sending)

        return around

    async def _send(self, scope: Scope, send: Send, message: AsgiMessage) -> None:
        """With the headers of the release."""
        if message["type"] == "http.response.start":
            headers = [(name.lower(), value) for name, value in message["headers"]]
            message = {**message, "headers": [*self._headers(scope["path"], message["status"], headers)]}
        await send(message)

    def _headers(self, path: str, status: int, headers: list[Header]) -> list[Header]:
        kind = value_of(headers, b"content-type")
        made: list[Header] = []
        if kind.startswith(STREAM):
            made = [ANYONE, (b"Connection", b"keep-alive"), (b"Cache-Control", b"no-cache")]
            made += [(b"Content-Type", STREAM)] * 2
        elif status == 200 and path == "/upscale":
            for name in (b"X-Duration-Ms", b"X-Output-Height", b"X-Output-Width"):
                made.append((name, value_of(headers, name.lower())))
            made += [EXPOSED, ANYONE, (b"Content-Type", b"image/jpeg")]
        elif kind and path != "/health":
            made = [ANYONE, (b"Content-Type", b"application/json")]
        elif self.version.cors:
            made = [ANYONE]
        if length := value_of(headers, b"content-length"):
            made.append((b"Content-Length", length))
        return [*made, *CORS] if self.version.cors else made

    async def _tokenize(self, app: ASGIApp, scope: Scope, receive: Receive) -> Reply:
        """Counts an empty prompt where there is none, and says what is wrong as the JSON library does."""
        try:
            values = parsed(await body_of(receive))
            prompt = string_of(values.get("prompt", "")) if isinstance(values, dict) else ""
        except APIError as problem:
            message = problem.message.partition(": ")[2]
            return Reply.of_json(400, {"error": {"message": message, "type": "tokenize_error"}})
        honest = await reply_of(app, scope, json.dumps({"prompt": prompt}).encode())
        if honest.status != 200:
            return Reply(404)
        count = honest.json
        if not self.version.overflow:
            del count["overflow_offset"]
        return Reply.of_json(200, count)

    async def _upscale(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the headers as the release does, and hands an honest request on."""
        headers = Headers(scope=scope)
        body = await body_of(receive)
        try:
            width, height = size_of(headers, len(body))
        except Refusal as refusal:
            await _refuse(refusal, send)
            return
        told = {WIDTH: str(width), HEIGHT: str(height), "Content-Length": str(len(body)), PATH: headers[PATH] or "?"}
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in told.items()]
        failed = False

        async def sending(message: AsgiMessage) -> None:
            nonlocal failed
            if message["type"] == "http.response.start" and message["status"] == 400:
                failed = True
                missing = f"Server Err: Failed to create MNN interpreter from: {headers[PATH]}"
                await _refuse(Refusal(500, missing), send)
            elif not failed:
                await send(message)

        await app({**scope, "headers": pairs}, replayed(body, receive), sending)


async def _refuse(refusal: Refusal, send: Send) -> None:
    await Reply.of(refusal.status, "application/json", refusal.body()).send(send)


def _counted(request: GenerationRequest) -> tuple[int, int, list[tuple[int, int]]]:
    """How many denoising steps there are, how many steps of all kinds, and the progress events before the denoising.

    The text encoder is a step, the decoder two; with an image its encoder is one, and the steps that the strength
    leaves out are known only after the first event.
    """
    if request.image is None:
        return request.steps, request.steps + 2, [(1, request.steps + 2)]
    kept = struct.unpack("<f", struct.pack("<f", request.steps * (1 - request.denoise_strength)))[0]
    skipped = min(max(0, int(kept)), request.steps - 1)
    steps = request.steps - skipped
    return steps, steps + 3, [(1, request.steps + 3), (2, steps + 3)]


def _progress(step: int, total: int) -> Message:
    return Message("progress", "progress", {"step": step, "total_steps": total, "type": "progress"})


def _sorted(message: Message) -> Message:
    """With the keys in the order in which nlohmann::json writes them."""
    return replace(message, payload=dict(sorted(message.payload.items())))


WRONG_TYPES = tuple(f"GEN-TYP-{number:02}" for number in range(1, 16))
OUT_OF_RANGE = tuple(f"GEN-RNG-{number:02}" for number in range(2, 10))
BREAKS = (*WRONG_TYPES, "GEN-REQ-09", "GEN-REQ-10", "UPS-REQ-16")
DISCOURAGED = (
    "GEN-REQ-07",
    "GEN-REQ-11",
    *OUT_OF_RANGE,
    "GEN-SSE-02",
    "GEN-EVT-06",
    "SRV-03",
    "ERR-04",
    "ERR-08",
    "UPS-REQ-10",
    "UPS-REQ-12",
    "UPS-REQ-13",
    "UPS-REQ-14",
    "EXT-SIZ-03",
    "EXT-TOK-06",
)


def _release(name: str, sentence: str, version: Version, *against: str, breaks: tuple[str, ...] = ()) -> None:
    PERSONALITIES[name] = EmulatedRelease(
        name=name,
        sentence=sentence,
        make=partial(Release, version),
        without=tuple(sorted(version.without)),
        breaks=(*BREAKS, *breaks),
        discouraged=(*DISCOURAGED, *against),
    )


_release(
    "2.4",
    "Local Dream 2.4.3 (April 2026), as recorded.",
    Version(
        without=frozenset({"aspect_ratio", "cors", "formats"}),
        overflow=False,
        mask_needs_image=False,
        no_prompt="Global prompt empty",
    ),
    "GEN-REQ-16",
)
_release(
    "2.7",
    "Local Dream 2.7 (June 2026), as recorded: with `format` in events, output_format, preview_format and CORS.",
    Version(without=frozenset({"aspect_ratio"}), overflow=True, mask_needs_image=True, no_prompt="Prompt empty"),
    "EXT-FMT-06",
    breaks=("EXT-COR-04",),
)


def personalities() -> Mapping[str, EmulatedRelease]:
    """All of them by name."""
    return dict(sorted(PERSONALITIES.items()))
