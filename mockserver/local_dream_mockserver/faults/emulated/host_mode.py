"""The control API of release 2.8.1 (its "host mode"), from its published source: what it answers, byte by byte.

It reads what org.json reads as a number or a text, in place of refusing it; what it cannot read as an object is an
empty one. What a JSON text may be beyond the standard (quotes left out, comments) is not played.
"""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.types import Scope

from local_dream_mockserver.faults.middleware import Reply, value_of
from local_dream_mockserver.server.extensions.remote_control import (
    INFO,
    MODELS,
    MOST_BODY,
    SELECT,
    SIDE,
    STATUS,
    STOP,
    RemoteControl,
)

VERSION, DEVICE = "2.8.1", "phone"
GRACE = 1.5
"""Seconds for which what was stopped runs on."""
LONGEST_LINE = 8 * 1024
ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\t": "\\t", "\b": "\\b", "\n": "\\n", "\r": "\\r", "\f": "\\f"}
LEAST_INT, MOST_INT = -(2**31), 2**31 - 1


def answer(remote: RemoteControl, scope: Scope, body: bytes) -> Reply:
    """The answer to a request, which has this body."""
    if _is_bad(scope, body):
        return _reply(400, {"error": "bad request"})
    method = scope["method"]
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    if path == INFO:
        return _reply(200, {"app": "localdream", "protocol": 1, "version": VERSION, "device": DEVICE})
    if (method, path) == ("GET", MODELS):
        return _reply(200, remote.models())
    if (method, path) == ("GET", STATUS):
        return _reply(200, remote.status())
    if (method, path) == ("POST", SELECT):
        return _select(remote, _object(scope, body))
    if (method, path) == ("POST", STOP):
        return _stop(remote, _object(scope, body))
    return _reply(404, {"error": "not found"})


def _is_bad(scope: Scope, body: bytes) -> bool:
    """Whether a line or the body is too long."""
    lines = (len(name) + len(value) + 2 for name, value in scope["headers"])
    target = len(scope.get("raw_path", b"")) + len(scope["query_string"]) + len(scope["method"]) + len("  HTTP/1.1")
    return len(body) > MOST_BODY or max((target, *lines)) > LONGEST_LINE


def _object(scope: Scope, body: bytes) -> dict[str, Any]:
    """The body as an object; an empty one where it is none, or its length was not said."""
    if not value_of(scope["headers"], b"content-length"):
        return {}
    try:
        value = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _select(remote: RemoteControl, values: dict[str, Any]) -> Reply:
    model = _text(values.get("model_id", ""))
    if not remote.has(model):
        return _reply(404, {"error": "model not found"})
    remote.select(model, _integer(values.get("width")), _integer(values.get("height")))
    return _reply(200, {"ok": True})


def _stop(remote: RemoteControl, values: dict[str, Any]) -> Reply:
    model = _text(values.get("model_id", ""))
    if model and model != remote.last:
        return _reply(200, {"ok": True, "ignored": True})
    remote.stop(GRACE)
    return _reply(200, {"ok": True})


def _text(value: Any) -> str:
    """As a text: whatever it is, as it is written."""
    return value if isinstance(value, str) else _dumped(value)


def _integer(value: Any) -> int:
    """As an integer of 32 bits: of a number or a text of one what is before the point, of anything else SIDE."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return SIDE
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return SIDE
    if isinstance(value, int):
        return (value - LEAST_INT) % 2**32 + LEAST_INT
    return 0 if math.isnan(number) else int(min(max(number, LEAST_INT), MOST_INT))


def _reply(status: int, values: dict[str, Any]) -> Reply:
    return Reply.of(status, "application/json", _dumped(values).encode(), (b"connection", b"close"))


def _dumped(value: Any) -> str:
    """As org.json writes it: without spaces, with slashes escaped, whole numbers without a point."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_dumped(name)}:{_dumped(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dumped, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(_escaped(letter) for letter in value) + '"'
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)


def _escaped(letter: str) -> str:
    return ESCAPES.get(letter) or (f"\\u{ord(letter):04x}" if letter <= "\x1f" else letter)
