"""Servers behind a layer that compresses for clients which ask for it, as browsers do: in time, or held back."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import brotli
import pytest
import zstandard
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from tests.conformance.narrow.judged import judged
from tests.mockserver.live_server import running

STEP = 0.03
JUDGED = ("GEN-EVT-07", "GEN-EVT-12", "GEN-PIC-02", "GEN-REQ-05", "GEN-SSE-01", "GEN-SSE-08", "ROB-11")


class HeldBack:
    """Compresses a whole answer, and sends nothing before its end."""

    def __init__(self, coding: str) -> None:
        self._pack = {
            "gzip": gzip.compress,
            "br": lambda data: brotli.compress(data, quality=1),
            "zstd": zstandard.ZstdCompressor(1).compress,
        }[coding]
        self._held = b""

    def __call__(self, data: bytes, last: bool) -> bytes:
        self._held += data
        return self._pack(self._held) if last else b""


class Flushed:
    """Compresses event by event."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        makers: dict[str, Callable[[], Any]] = {
            "gzip": lambda: zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16),
            "br": lambda: brotli.Compressor(quality=1),
            "zstd": lambda: zstandard.ZstdCompressor(1).compressobj(),
        }
        self._stream = makers[coding]()

    def __call__(self, data: bytes, last: bool) -> bytes:
        made: bytes = self._stream.process(data) if self._coding == "br" else self._stream.compress(data)
        match self._coding:
            case "br":
                end: bytes = self._stream.finish() if last else self._stream.flush()
            case "zstd":
                end = self._stream.flush() if last else self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
            case _:
                end = self._stream.flush() if last else self._stream.flush(zlib.Z_SYNC_FLUSH)
        return made + end


class Compressing:
    """Stands around an application; codes what a request asks for in this coding."""

    def __init__(self, app: ASGIApp, coding: str, way: type[HeldBack] | type[Flushed]) -> None:
        self._app, self._coding, self._way = app, coding, way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers") or ())
        asked = headers.get(b"accept-encoding", b"").decode("latin-1")
        if self._coding not in [part.strip() for part in asked.split(",")]:
            await self._app(scope, receive, send)
            return
        packing = self._way(self._coding)

        async def coded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].lower() != b"content-length"]
                await send({**message, "headers": [*kept, (b"content-encoding", self._coding.encode())]})
                return
            more = message.get("more_body", False)
            await send({**message, "body": packing(message.get("body", b""), not more)})

        await self._app(scope, receive, coded)


@contextmanager
def compressing(coding: str, way: type[HeldBack] | type[Flushed]) -> Iterator[str]:
    app = create_app(SyntheticEngine(Pacing(first=STEP, step=STEP)), ServerSettings())
    with running(Compressing(app, coding, way)) as url:
        yield url


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_stream_that_is_held_back_for_who_takes_the_coding_is_found(coding: str) -> None:
    with compressing(coding, HeldBack) as url:
        found = judged(url, JUDGED)
    assert found.broken == ("GEN-EVT-07",)
    assert found.blocked == ()


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_stream_that_is_coded_event_by_event_is_right(coding: str) -> None:
    with compressing(coding, Flushed) as url:
        found = judged(url, JUDGED)
    assert (found.broken, found.blocked) == ((), ())
