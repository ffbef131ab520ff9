"""Quirks of the extensions: what servers with them may do, and clients have to live with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from local_dream_mockserver.faults.bodies import Body
from local_dream_mockserver.faults.catalogue import Layer, quirk
from local_dream_mockserver.faults.extension_cors import EXPOSED, HEADERS, ORIGIN, OtherHead, preflight
from local_dream_mockserver.faults.extension_formats import Coded, Each, poor, recoded
from local_dream_mockserver.faults.extension_size import Resized
from local_dream_mockserver.faults.extension_tokenize import Tokenized, counted
from local_dream_mockserver.faults.extension_upscaler_only import Lacking
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.middleware import Header, Reply, RequestMiddleware, reply_of, value_of
from local_dream_mockserver.faults.overlap import Busy
from local_dream_mockserver.server.engine import GenerationRequest, Rgb
from local_dream_mockserver.server.errors import APIError

EXTENSION = Layer.EXTENSION


def _small(rgb: Rgb) -> Rgb:
    image = Image.fromarray(rgb)
    return np.asarray(image.resize((max(1, image.width // 2), max(1, image.height // 2)), Image.Resampling.BOX))


@quirk(
    "format-said-unasked",
    "Every picture says its format, raw where nobody asked for another.",
    layer=EXTENSION,
    extensions=("formats",),
)
class FormatSaid(Each):
    def changed(self, message: Message, request: GenerationRequest) -> Message:
        if "image" not in message.payload or "format" in message.payload:
            return message
        return message.with_(format="raw")


quirk(
    "coded-previews-small",
    "Previews as PNG and JPEG are half as wide and high as the picture.",
    layer=EXTENSION,
    extensions=("formats",),
)(
    partial(
        Coded,
        kinds=("progress",),
        change=lambda m, rgb, asked: m if asked == "raw" else recoded(m, _small(rgb), asked),
    )
)
quirk(
    "jpegs-of-low-quality",
    "Pictures as JPEG have a low quality, and their colours half the resolution.",
    layer=EXTENSION,
    extensions=("formats",),
)(
    partial(
        Coded,
        kinds=("progress", "complete"),
        change=lambda m, rgb, asked: m.with_(image=poor(rgb, 50)) if asked == "jpeg" else m,
    )
)


def _rounded(body: Body) -> Body:
    size = body.get("size")
    whole = isinstance(size, int) and not isinstance(size, bool) and size >= 8
    return {**body, "size": size // 8 * 8} if whole and isinstance(size, int) else body


quirk(
    "size-rounded-down",
    "A size that is no multiple of 8 is rounded down to one.",
    layer=EXTENSION,
    discouraged=("EXT-SIZ-03",),
    extensions=("size",),
)(partial(Resized, change=_rounded))
quirk(
    "busy-until-a-date",
    "A second generation while one runs is refused with status 503 and an HTTP date in Retry-After.",
    layer=EXTENSION,
    extensions=("busy",),
)(partial(Busy, answer=APIError(503, "busy with another request", {"Retry-After": "Fri, 31 Dec 2049 23:59:59 GMT"})))


def _counts(name: str, sentence: str, change: Callable[[dict[str, Any], str], dict[str, Any]]) -> None:
    quirk(name, sentence, layer=EXTENSION, extensions=("tokenize",))(partial(Tokenized, change=counted(change)))


_counts(
    "tokenize-without-overflow",
    "Counts of /tokenize have no overflow_offset.",
    lambda count, prompt: {name: value for name, value in count.items() if name != "overflow_offset"},
)
_counts(
    "tokenize-in-decimals",
    "The numbers of /tokenize are written as 12.0, beside further keys.",
    lambda count, prompt: {**{name: float(value) for name, value in count.items()}, "tokenizer": "clip", "tokens": []},
)


def _heads(name: str, sentence: str, change: Callable[[tuple[Header, ...]], tuple[Header, ...]]) -> None:
    quirk(name, sentence, layer=EXTENSION, extensions=("cors",))(
        partial(OtherHead, wanted=lambda scope: True, change=change)
    )


def _listed(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """The headers by their names, in other letters, in place of stars."""
    names = b"x-use-opencl,x-upscaler-path ,  X-IMAGE-WIDTH,x-image-height,content-type"
    seen = b"x-duration-ms, X-OUTPUT-WIDTH,x-output-height"
    listed = {HEADERS: names, EXPOSED: seen}
    return tuple((name, listed.get(name, value)) for name, value in headers)


_heads("cors-headers-listed", "The headers that CORS speaks about are listed, in other letters and order.", _listed)
_heads(
    "cors-exposes-all",
    "Answers expose all headers with a star.",
    lambda headers: tuple((name, b"*" if name == EXPOSED else value) for name, value in headers),
)


@quirk(
    "origin-echoed",
    "The origin of a request is let in by its name, in place of a star.",
    layer=EXTENSION,
    extensions=("cors",),
)
class OriginEchoed(RequestMiddleware):
    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        origin = value_of(scope["headers"], b"origin")

        async def sending(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start" and origin:
                self.happened()
                others = [header for header in message["headers"] if header[0].lower() != ORIGIN]
                message = {**message, "headers": [*others, (ORIGIN, origin), (b"vary", b"Origin")]}
            await send(message)

        await app(scope, receive, sending)


@quirk(
    "preflights-with-200",
    "Preflights are answered with status 200 and a body.",
    layer=EXTENSION,
    extensions=("cors",),
)
class PreflightsWith200(RequestMiddleware):
    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        honest = await reply_of(app, scope, b"") if preflight()(scope) else None
        if honest is None or honest.status != 204:
            await app(scope, receive, send)
            return
        self.happened()
        await Reply.of(200, "text/plain", b"OK", *honest.headers).send(send)


for _name, _paths, _sentence, _extensions in (
    ("pages-without-upscale", ("/upscale",), "There is no /upscale, nor a preflight of it.", ("cors",)),
    (
        "pages-without-generate",
        ("/generate",),
        "There is no /generate, nor a preflight of it.",
        ("cors", "upscaler-only"),
    ),
):
    quirk(_name, _sentence, layer=EXTENSION, extensions=_extensions)(partial(Lacking, lacks=_paths))
