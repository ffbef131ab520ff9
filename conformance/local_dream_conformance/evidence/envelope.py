"""The error envelope: {"error": {"message": M, "type": T}} (seed document, "Error Codes")."""

from __future__ import annotations

from typing import Any

from local_dream_conformance.core import strict_json
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence.selectors import value

SHOWN = 120
READ = 1 << 20
"""Error bodies are not read beyond this many bytes."""


def problem(exchange: Exchange) -> str:
    """What is wrong with the answer's envelope, "" where it is right. The type may be any string."""
    body = exchange.body
    if not body:
        return "no body"
    if len(body) > READ:
        return f"a body of {len(body)} bytes"
    parsed = strict_json.parse(body)
    if parsed.problem:
        return f"not JSON ({parsed.problem}): {escape(body, SHOWN)}"
    error = _error(parsed.value)
    if error is None:
        return f'no object under "error": {escape(body, SHOWN)}'
    message, kind = error.get("message"), error.get("type")
    if not isinstance(message, str) or not message.strip():
        return f"error.message is {value(message)}, which is no text"
    if not isinstance(kind, str) or not kind:
        return f"error.type is {value(kind)}, which is no text"
    return ""


def kind(exchange: Exchange) -> str | None:
    """error.type, where it is a string."""
    error = _error(strict_json.parse(exchange.body[:READ]).value)
    found = (error or {}).get("type")
    return found if isinstance(found, str) else None


def _error(document: Any) -> dict[str, Any] | None:
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else None
