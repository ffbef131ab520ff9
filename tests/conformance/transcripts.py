"""Builders of exchanges as a server would have answered them: honest by default, wrong where a test says so."""

from __future__ import annotations

import base64
import functools
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from local_dream_conformance.checks.check import REGISTRY, Check
from local_dream_conformance.core import contract
from local_dream_conformance.core.exchange import End, Exchange, Read, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement
from local_dream_conformance.run.evaluator import Evaluator

Pixels: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, 3), RGB."""

Headers: TypeAlias = tuple[tuple[str, str], ...]

SETTINGS = Settings(url="http://127.0.0.1:8081")
STREAM_HEADERS: Headers = (("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache"))
JSON_HEADERS: Headers = (("Content-Type", "application/json"),)
FIELDS: Mapping[str, Any] = {"prompt": "a red house", "seed": 7, "steps": 4, "width": 128, "height": 64}
"""What a request of the suite holds at least."""


def picture(width: int = 128, height: int = 64, seed: int = 0) -> Pixels:
    """A smooth picture in colour, another one for every seed."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.uint8)


def noise(width: int = 128, height: int = 64, seed: int = 0) -> Pixels:
    """Every pixel for itself."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def coded(pixels: Pixels, format: str = "raw", **options: Any) -> str:
    """A picture as base64 of raw RGB, "png" or "jpeg"."""
    if format == "raw":
        return base64.b64encode(pixels.tobytes()).decode()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return base64.b64encode(file.getvalue()).decode()


def request(fields: Any = FIELDS, *, headers: Headers = ()) -> Request:
    """POST /generate. `fields` is sent as JSON, or as it is where it is bytes."""
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return Request("POST", "/generate", (("Content-Type", "application/json"), *headers), body)


def answer(
    label: str,
    status: int | None,
    body: bytes = b"",
    *,
    to: Request | None = None,
    headers: Headers = (),
    end: End = End.COMPLETE,
    started: float = 0.0,
    took: float = 0.01,
    notes: tuple[tuple[str, str], ...] = (),
) -> Exchange:
    """Any answer that comes in one piece. `status` None: no answer came."""
    return Exchange(
        label=label,
        request=to or Request("GET", "/health"),
        started=started,
        end=end,
        ended_at=took,
        status=status,
        http_version="HTTP/1.1",
        headers=headers,
        head_at=None if status is None else took,
        reads=(Read(took, body),) if body else (),
        notes=notes,
    )


def refusal(
    label: str,
    status: int = 400,
    type: str | None = None,
    message: str = "prompt is missing",
    *,
    to: Request | None = None,
    **more: Any,
) -> Exchange:
    """An error answer with the envelope. `type` follows from the status unless given."""
    type = type or ("request_error" if status < 500 else "server_error")
    body = json.dumps({"error": {"message": message, "type": type}}).encode()
    return answer(label, status, body, to=to or request({}), headers=JSON_HEADERS, **more)


def progress(step: int, total: int, image: str | None = None, **more: Any) -> dict[str, Any]:
    """The data of a progress event."""
    shown = {} if image is None else {"image": image}
    return {"type": "progress", "step": step, "total_steps": total, **shown, **more}


def complete(pixels: Pixels, seed: int = 7, *, image: str | None = None, **more: Any) -> dict[str, Any]:
    """The data of a complete event: raw RGB unless `image` says otherwise."""
    height, width = pixels.shape[:2]
    return {
        "type": "complete",
        "image": coded(pixels) if image is None else image,
        "seed": seed,
        "width": width,
        "height": height,
        "channels": 3,
        "generation_time_ms": 80,
        "first_step_time_ms": 20,
        **more,
    }


def error(message: str = "out of memory") -> dict[str, Any]:
    """The data of an error event."""
    return {"type": "error", "message": message}


def frame(event: Mapping[str, Any] | bytes) -> bytes:
    """An event on the wire, named by its `type`. Bytes are taken as they are."""
    if isinstance(event, bytes):
        return event
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def stream(
    label: str,
    events: Iterable[Mapping[str, Any] | bytes],
    *,
    fields: Any = FIELDS,
    headers: Headers = STREAM_HEADERS,
    status: int = 200,
    end: End = End.COMPLETE,
    started: float = 0.0,
    gap: float = 0.1,
    at: Sequence[float] | None = None,
) -> Exchange:
    """A stream of these events, one read each, `gap` seconds apart (or at the seconds `at`)."""
    pieces = [frame(event) for event in events]
    times = list(at) if at is not None else [gap * (index + 1) for index in range(len(pieces))]
    reads = tuple(Read(time, piece) for time, piece in zip(times, pieces, strict=True) if piece)
    return Exchange(
        label=label,
        request=request(fields),
        started=started,
        end=end,
        ended_at=times[-1] if times else 0.0,
        status=status,
        reason="OK",
        http_version="HTTP/1.1",
        headers=headers,
        head_at=times[0] / 2 if times else 0.0,
        reads=reads,
    )


def generation(
    label: str = "base",
    pixels: Pixels | None = None,
    *,
    fields: Mapping[str, Any] = FIELDS,
    sent: Mapping[str, Any] | None = None,
    seed: int = 123,
    format: str | None = None,
    more: Mapping[str, Any] | None = None,
    **options: Any,
) -> Exchange:
    """A whole honest generation: `steps` progress events, previews as asked for, complete.

    `fields` is what the server understood, and what was sent unless `sent` says otherwise.

    The picture is `pixels` or one that follows from prompt and seed; `seed` is what complete says where the request
    has none. With `format` (raw, png, jpeg) pictures are coded so and say so. `more` is added to complete.
    """
    steps, width, height = (
        fields.get(key) or default for key, default in (("steps", 20), ("width", 512), ("height", 512))
    )
    asked = fields.get("seed")
    chosen = int(asked) if asked is not None else seed
    if pixels is None:
        pixels = picture(width, height, sum(map(ord, str(fields.get("prompt")))) * 1000 + chosen)
    named = {} if format is None else {"format": format}
    image = coded(pixels, format or "raw")
    stride = fields.get("show_diffusion_stride") or 1
    shown = [bool(fields.get("show_diffusion_process")) and step % stride == 0 for step in range(steps)]
    events = [
        progress(step + 1, steps, image, **named) if shown[step] else progress(step + 1, steps) for step in range(steps)
    ]
    took = options["at"][-1] if "at" in options else options.get("gap", 0.1) * (steps + 1)
    times = {"generation_time_ms": int(1000 * took), "first_step_time_ms": int(1000 * took / (steps + 1))}
    last = {**complete(pixels, chosen, image=image), **times, **named, **(more or {})}
    return stream(label, [*events, last], fields=fields if sent is None else sent, **options)


def upscaled(pixels: Pixels, factor: int = 4, format: str = "jpeg") -> bytes:
    """A picture enlarged and coded, as /upscale answers."""
    size = (pixels.shape[1] * factor, pixels.shape[0] * factor)
    file = io.BytesIO()
    options = {"quality": 95, "subsampling": 0} if format == "jpeg" else {}
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(file, format, **options)
    return file.getvalue()


def upscale_request(
    pixels: Pixels, *, without: Iterable[str] = (), body: bytes | None = None, **instead: str
) -> Request:
    """POST /upscale with its headers; `instead` replaces values (X_Image_Width="abc"), `without` leaves headers out."""
    values = {
        "Content-Type": "application/octet-stream",
        "X-Image-Width": str(pixels.shape[1]),
        "X-Image-Height": str(pixels.shape[0]),
        "X-Upscaler-Path": "/models/upscaler.bin",
        **{name.replace("_", "-"): value for name, value in instead.items()},
    }
    headers = tuple((name, value) for name, value in values.items() if name not in set(without))
    return Request("POST", "/upscale", headers, pixels.tobytes() if body is None else body)


def upscale(
    label: str = "upscale/odd",
    pixels: Pixels | None = None,
    *,
    to: Request | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
    **more: Any,
) -> Exchange:
    """An honest answer of /upscale; `body` and `headers` (added, or replaced by name) make it otherwise."""
    pixels = picture(17, 13) if pixels is None else pixels
    values = {
        "Content-Type": "image/jpeg",
        "X-Output-Width": str(pixels.shape[1] * 4),
        "X-Output-Height": str(pixels.shape[0] * 4),
        "X-Duration-Ms": "5",
        **(headers or {}),
    }
    content = upscaled(pixels) if body is None else body
    return answer(label, status, content, to=to or upscale_request(pixels), headers=tuple(values.items()), **more)


class Found:
    """Evidence for the judge: these exchanges, whatever scenario a check asks for."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._by_label = {exchange.label: exchange for exchange in exchanges}

    def cut_short(self, check: Check) -> str:
        return ""

    def exchanges(self, check: Check) -> Mapping[str, Exchange]:
        return self._by_label

    def left_out(self, check: Check) -> Mapping[str, str]:
        return {}


@functools.cache
def _contract() -> contract.Contract:
    return contract.load()


def judge(id: str, *exchanges: Exchange, settings: Settings = SETTINGS) -> Judgement:
    """What the suite says of one requirement on these exchanges, prerequisites included.

    The module with the check must have been imported.
    """
    return Evaluator(_contract(), REGISTRY, Found(exchanges), settings).judge(id)


def words(judgement: Judgement) -> str:
    """All that a judgement says, to look for words in."""
    return " ".join(
        [judgement.reason, *(f"{f.expected} {f.got} {f.exchange} {f.at} {f.cause}" for f in judgement.findings)]
    )
