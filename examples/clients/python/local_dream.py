"""A client of the Local Dream API in one file, to copy: `pip install httpx httpx-sse`.

    with Client("http://127.0.0.1:8081") as client:
        picture = client.generate("a red house by the sea", steps=8, on_progress=print)
        jpeg = client.upscale(picture, "upscaler.bin")

`AsyncClient` is the same with `await`. To cancel, leave the loop over `events`, or cancel the task: the connection is
closed, and the server is free again. Errors:

    LocalDreamError
    ├── Refused           the server said no before it began; `status` says how
    │   └── Busy          503, also after the last retry
    ├── GenerationFailed  the server said in mid-stream that it cannot go on
    └── BadAnswer         no answer, half an answer, or one that is not of this API
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError


class LocalDreamError(Exception):
    """The picture was not made; the message says why."""


class Refused(LocalDreamError):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Busy(Refused):
    """The server makes another picture."""


class GenerationFailed(LocalDreamError):
    pass


class BadAnswer(LocalDreamError):
    pass


@dataclass(frozen=True)
class Progress:
    """`preview` is raw RGB of the picture's size, where the request asked for previews and this step has one."""

    step: int
    total_steps: int
    preview: bytes | None = None


@dataclass(frozen=True)
class Picture:
    """`rgb` is width * height * 3 bytes, row by row. With Pillow: Image.frombytes("RGB", (width, height), rgb)."""

    rgb: bytes
    width: int
    height: int
    seed: int


class Client:
    """`retries` is how often a busy server is asked again; `timeout` is the longest silence, in seconds."""

    def __init__(self, url: str, *, retries: int = 3, timeout: float = 120, headers: dict[str, str] | None = None):
        self._http = httpx.Client(base_url=url, timeout=timeout, headers=headers)
        self._retries = retries

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def generate(
        self, prompt: str, *, on_progress: Callable[[Progress], object] | None = None, **fields: Any
    ) -> Picture:
        """The picture of a prompt. Other fields as in the API; `image` and `mask` may be the bytes of a PNG or JPEG."""
        with closing(self.events(prompt, **fields)) as events:
            for event in events:
                if isinstance(event, Picture):
                    return event
                if on_progress:
                    on_progress(event)
        raise BadAnswer("the stream ended without a picture")

    def events(self, prompt: str, **fields: Any) -> Generator[Progress | Picture]:
        """Progress as it comes, the picture last."""
        for retries_left in reversed(range(self._retries + 1)):
            with _understood(), self._http.stream("POST", "/generate", json=_body(prompt, fields)) as answer:
                if answer.status_code == 200:
                    for event in EventSource(answer).iter_sse():
                        if read := _read(event):
                            yield read
                        if isinstance(read, Picture):
                            return
                    raise BadAnswer("the stream ended without a picture")
                refusal = _refusal(answer.status_code, answer.read())
                if not (isinstance(refusal, Busy) and retries_left):
                    raise refusal
            time.sleep(_pause(answer))

    def upscale(self, picture: Picture, upscaler: str) -> bytes:
        """The picture at four times its size, as a JPEG. `upscaler` is the path of a model on the server."""
        with _understood():
            answer = self._http.post("/upscale", content=picture.rgb, headers=_upscale_headers(picture, upscaler))
        if answer.status_code != 200:
            raise _refusal(answer.status_code, answer.content)
        return answer.content


class AsyncClient:
    """As Client."""

    def __init__(self, url: str, *, retries: int = 3, timeout: float = 120, headers: dict[str, str] | None = None):
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout, headers=headers)
        self._retries = retries

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def generate(
        self, prompt: str, *, on_progress: Callable[[Progress], object] | None = None, **fields: Any
    ) -> Picture:
        """As Client.generate; cancel the task to cancel it."""
        async with aclosing(self.events(prompt, **fields)) as events:
            async for event in events:
                if isinstance(event, Picture):
                    return event
                if on_progress:
                    on_progress(event)
        raise BadAnswer("the stream ended without a picture")

    async def events(self, prompt: str, **fields: Any) -> AsyncGenerator[Progress | Picture]:
        """As Client.events; use contextlib.aclosing where the loop may be left early."""
        for retries_left in reversed(range(self._retries + 1)):
            with _understood():
                async with self._http.stream("POST", "/generate", json=_body(prompt, fields)) as answer:
                    if answer.status_code == 200:
                        async for event in EventSource(answer).aiter_sse():
                            if read := _read(event):
                                yield read
                            if isinstance(read, Picture):
                                return
                        raise BadAnswer("the stream ended without a picture")
                    refusal = _refusal(answer.status_code, await answer.aread())
                    if not (isinstance(refusal, Busy) and retries_left):
                        raise refusal
            await asyncio.sleep(_pause(answer))

    async def upscale(self, picture: Picture, upscaler: str) -> bytes:
        """As Client.upscale."""
        with _understood():
            answer = await self._http.post("/upscale", content=picture.rgb, headers=_upscale_headers(picture, upscaler))
        if answer.status_code != 200:
            raise _refusal(answer.status_code, answer.content)
        return answer.content


@contextmanager
def _understood() -> Iterator[None]:
    """Turns what goes wrong on the way, or in reading an answer, into BadAnswer."""
    try:
        yield
    except (httpx.HTTPError, SSEError, ValueError, KeyError, TypeError) as error:
        raise BadAnswer(f"{type(error).__name__}: {error}") from error


def _body(prompt: str, fields: dict[str, Any]) -> dict[str, Any]:
    pictures = {name: base64.b64encode(value).decode() for name, value in fields.items() if isinstance(value, bytes)}
    return {"prompt": prompt, **fields, **pictures}


def _read(event: ServerSentEvent) -> Progress | Picture | None:
    """What an event says; None for a kind of a server's own."""
    if event.event not in ("progress", "complete", "error"):
        return None
    data = event.json()
    if event.event == "progress":
        preview = base64.b64decode(data["image"], validate=True) if "image" in data else None
        return Progress(data["step"], data["total_steps"], preview)
    if event.event == "error":
        raise GenerationFailed(data["message"])
    rgb = base64.b64decode(data["image"], validate=True)
    if len(rgb) != data["width"] * data["height"] * 3:
        raise BadAnswer("the picture has not the size that the server says")
    return Picture(rgb, data["width"], data["height"], data["seed"])


def _refusal(status: int, body: bytes) -> Refused:
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"status {status}"
    return (Busy if status == 503 else Refused)(status, message)


def _pause(answer: httpx.Response) -> float:
    """How many seconds a busy server asks to wait."""
    asked = answer.headers.get("Retry-After", "")
    return min(30.0, float(asked)) if asked.isascii() and asked.isdigit() else 1.0


def _upscale_headers(picture: Picture, upscaler: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"Content-Type", b"application/octet-stream"),
        (b"X-Image-Width", b"%d" % picture.width),
        (b"X-Image-Height", b"%d" % picture.height),
        (b"X-Upscaler-Path", upscaler.encode()),
    ]
