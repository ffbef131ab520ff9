"""The error envelope: {"error": {"message": M, "type": T}} (seed document, "Error Codes")."""

from __future__ import annotations

from typing import Any

from local_dream_conformance.core import strict_json
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.evidence.selectors import ending, value

SHOWN = 120
READ = 1 << 20
"""Error bodies are not read beyond this many bytes."""


def problem(exchange: Exchange) -> str:
    """What is wrong with the answer's envelope, "" where it is right. The type may be any string.

    Of an answer that was cut within it, that alone: see `unknown`.
    """
    found = _problem(exchange)
    return f"{exchange.size} bytes, {ending(exchange)}" if found and exchange.is_cut else found


def unknown(exchange: Exchange) -> bool:
    """Whether nobody has seen the envelope to its end: there was no answer, or it was cut (SRV-04), or left."""
    return exchange.status is None or ((exchange.is_cut or exchange.end is End.HUNG_UP) and bool(_problem(exchange)))


def _problem(exchange: Exchange) -> str:
    if not exchange.size:
        return "no body"
    if exchange.end is End.TOO_LARGE:
        return f"a body of more than {exchange.size} bytes"
    if exchange.size > READ:
        return f"a body of {exchange.size} bytes"
    body = exchange.body
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
    return _text(exchange, "type")


def message(exchange: Exchange) -> str | None:
    """error.message, where it is a string."""
    return _text(exchange, "message")


def _text(exchange: Exchange, name: str) -> str | None:
    error = _error(strict_json.parse(exchange.body).value) if exchange.size <= READ else None
    found = (error or {}).get(name)
    return found if isinstance(found, str) else None


def _error(document: Any) -> dict[str, Any] | None:
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else None
