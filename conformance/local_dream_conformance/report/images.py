"""The pictures of a report: what was sent and what came, small enough to mail."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import GENERATE, UPSCALE, Exchange
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import GenerationEvent, generation
from local_dream_conformance.evidence.images import (
    FEW_PIXELS,
    BadPicture,
    decode,
    decode_base64,
    of_payload,
    raw_rgb,
)
from local_dream_conformance.evidence.pixels import Pixels

SIDE = 320
"""Longest side in pixels of a picture in a report; larger ones are scaled down."""
LARGEST, SMALLEST = 208, 144
"""Longest side in CSS pixels of a picture as it is shown: at most, and about at least (so that 64 x 64 can be seen)."""
EXACT = 48 << 10
"""Bytes up to which a picture that was not scaled is kept exactly, as PNG."""
ALL = 6 << 20
"""Most bytes of pictures in one report."""
PREVIEWS = 4
"""Most previews shown of one answer."""


@dataclass(frozen=True)
class Picture:
    """A picture as a data URI with its caption, or, where `uri` is "", the reason why there is none.

    `width` and `height` are in CSS pixels. `small` says that it is shown larger than it is.
    """

    caption: str
    uri: str = ""
    width: int = 0
    height: int = 0
    small: bool = False


@dataclass
class ReportImages:
    """The pictures of one report, which share `room` bytes. The same picture is encoded once."""

    room: int = ALL
    _encoded: dict[tuple[str, str], Picture] = field(default_factory=dict)

    def of(self, exchange: Exchange) -> tuple[Picture, ...]:
        """The pictures of an exchange, those sent first. What cannot be decoded is a caption that says why."""
        return tuple(self._shown(exchange.label, name, read) for name, read in _parts(exchange))

    def _shown(self, label: str, name: str, read: Callable[[], Pixels]) -> Picture:
        picture = self._encoded.get((label, name)) or _made(name, read)
        self._encoded[label, name] = picture
        if len(picture.uri) > self.room:
            return Picture(f"{picture.caption}; left out, the report's {ALL >> 20} MB for pictures are full")
        self.room -= len(picture.uri)
        return picture


def _parts(exchange: Exchange) -> Iterator[tuple[str, Callable[[], Pixels]]]:
    """(name, how to read it) of each picture in an exchange."""
    request = exchange.request
    if exchange.operation == UPSCALE:
        yield "input", lambda: _raw_input(exchange)
        if exchange.status == 200:
            yield "output", lambda: decode(exchange.body, "jpeg", 4 * FEW_PIXELS).pixels
        return
    if exchange.operation != GENERATE:
        return
    fields = request.json if isinstance(request.json, dict) else {}
    for name in ("image", "mask"):
        if isinstance(fields.get(name), str) and exchange.status == 200:
            yield {"image": "input"}.get(name, name), lambda text=fields[name]: _coded(text)  # type: ignore[misc]
    stream = generation(exchange)
    ended = stream.complete.payload if stream.complete else {}
    width, height = (integer(ended.get(key)) or integer(fields.get(key, 512)) for key in ("width", "height"))
    size = None if width is None or height is None else (width, height)
    for event in _spread(stream.previews):
        step = escape(str(event.payload.get("step")), 20)
        yield f"preview, step {step}", lambda event=event: of_payload(event.payload, size, 4 * FEW_PIXELS).pixels  # type: ignore[misc]
    if stream.complete is not None:
        yield "picture", lambda: of_payload(ended, most=4 * FEW_PIXELS).pixels


def _spread(values: Sequence[GenerationEvent]) -> list[GenerationEvent]:
    """At most PREVIEWS of the events, the first and the last among them."""
    if len(values) <= PREVIEWS:
        return list(values)
    return [values[round(number * (len(values) - 1) / (PREVIEWS - 1))] for number in range(PREVIEWS)]


def _raw_input(exchange: Exchange) -> Pixels:
    sides = [exchange.request.header(f"X-Image-{side}") or "" for side in ("Width", "Height")]
    if not all(side.isascii() and side.isdigit() and len(side) < 6 for side in sides):
        raise BadPicture("sent without a usable size")
    return raw_rgb(exchange.request.body, int(sides[0]), int(sides[1])).pixels


def _coded(text: str) -> Pixels:
    """A picture as it stands in a request: base64 of a PNG or JPEG."""
    data = decode_base64(text)
    return decode(data, "png" if data.startswith(b"\x89") else "jpeg").pixels


def _made(name: str, read: Callable[[], Pixels]) -> Picture:
    try:
        pixels = read()
    except BadPicture as error:
        return Picture(f"{name}: no picture: {escape(str(error), 300)}")
    height, width = pixels.shape[:2]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    caption = f"{name}, {width} × {height}"  # noqa: RUF001  (the sign, as people write sizes)
    buffer = io.BytesIO()
    kind = "png"
    if max(width, height) > SIDE:
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        caption += ", shown smaller"
    else:
        image.save(buffer, "PNG", optimize=True)
    if not 0 < buffer.tell() <= EXACT:
        buffer, kind = io.BytesIO(), "jpeg"
        image.save(buffer, "JPEG", quality=85)
    longest = max(image.size)
    scale = LARGEST / longest if longest > LARGEST else max(1, round(SMALLEST / longest))
    return Picture(
        caption,
        f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}",
        max(1, round(image.width * scale)),
        max(1, round(image.height * scale)),
        small=scale > 1,
    )
