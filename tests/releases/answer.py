"""An answer, as far as two servers can agree on it: without pixels, times, and what belongs to a connection."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, TypeAlias

Answer: TypeAlias = dict[str, Any]
"""`status`, `headers` (pairs in alphabetical order), and `events` or `body`."""

OF_THE_CONNECTION = {"connection", "transfer-encoding", "content-length", "date", "keep-alive", "server"}
TIMES = ("generation_time_ms", "first_step_time_ms", "x-duration-ms")
SOMETHING = "?"
EVENT = re.compile(r"event: (\w+)\ndata: (.*)")


def answer_of(raw: bytes) -> Answer:
    """What a server put on the wire. Nothing is status 0."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first:
        return {"status": 0, "headers": [], "body": ""}
    headers = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    if ("transfer-encoding", "chunked") in headers:
        body = dechunked(body)
    kind = dict(headers).get("content-type", "")
    answer: Answer = {
        "status": int(first.split(" ")[1]),
        "headers": sorted([name, _timeless(name, value)] for name, value in headers if name not in OF_THE_CONNECTION),
    }
    if kind == "text/event-stream":
        return answer | {"events": [_event(block) for block in body.decode().split("\n\n")[:-1]]}
    return answer | {"body": _described(body) if kind.startswith("image/") else body.decode("latin-1")}


def dechunked(data: bytes) -> bytes:
    """The body of chunks."""
    body = b""
    while data:
        length, _, data = data.partition(b"\r\n")
        size = int(length, 16)
        if not size:
            break
        body, data = body + data[:size], data[size + 2 :]
    return body


def _event(block: str) -> list[Any]:
    """The name, and keys with values in their order."""
    found = EVENT.fullmatch(block)
    if found is None:
        return [block]
    values = json.loads(found[2])
    return [found[1], [[key, _value(key, value)] for key, value in values.items()]]


def _value(key: str, value: Any) -> Any:
    return _described(base64.b64decode(value)) if key == "image" else _timeless(key, value)


def _timeless(key: str, value: Any) -> Any:
    return SOMETHING if key in TIMES else value


def _described(picture: bytes) -> str:
    """A picture by its format, and by its length where that says something."""
    if picture.startswith(b"\x89PNG"):
        return "png"
    return "jpeg" if picture.startswith(b"\xff\xd8") else f"raw, {len(picture)} bytes"
