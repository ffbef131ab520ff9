"""JSON as the contract means it: RFC 8259 in UTF-8, an object, nothing that two parsers would read differently."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from local_dream_mockserver.server.errors import APIError, Code

MOST_VALUES = 500_000
"""Values that a body may have, counted by its commas and brackets: ten thousand times what a request needs."""


def read_object(body: bytes, wanted: str = 'a JSON object with at least "prompt"') -> dict[str, Any]:
    """Reads a request body. Raises APIError (400) that says what is wrong and where."""
    if not body.strip():
        raise APIError(400, f"the body is empty; send {wanted}", code=Code.EMPTY, field="body")
    # An empty array is 3 bytes, and 60 in memory.
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES:
        message = f"the body has more than {MOST_VALUES} values; the request is one flat object"
        raise APIError(400, message, code=Code.OVER_LIMIT, field="body")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8: byte {error.start} cannot be read; encode it as UTF-8"
        raise APIError(400, message, code=Code.NOT_UTF8, field="body") from None
    try:
        value = json.loads(
            text, object_pairs_hook=unique, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        message = f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        code = Code.JSON_TAIL if error.msg == "Extra data" else Code.MALFORMED_JSON
        raise APIError(400, message, code=code, field="body") from None
    except RecursionError:
        message = "the body is nested too deeply; the request is one flat object"
        raise APIError(400, message, code=Code.JSON_TOO_DEEP, field="body") from None
    if not isinstance(value, dict):
        message = 'the body is JSON but not an object; send {"prompt": "..."}'
        raise APIError(400, message, code=Code.NOT_AN_OBJECT, field="body")
    return value


def is_text(value: str) -> bool:
    """Whether a string is whole characters: JSON can write half a surrogate pair, which is none."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object with these members. Raises APIError (400) where a name comes twice."""
    value: dict[str, Any] = {}
    for key, one in pairs:
        if key in value:
            raise APIError(400, f"{key[:40]!a}: sent more than once; send it once", code=Code.REPEATED, field=key)
        value[key] = one
    return value


def _constant(name: str) -> NoReturn:
    raise APIError(400, f"the body is not JSON: {name} is no JSON number", code=Code.JSON_CONSTANT, field="body")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise APIError(400, f"{digits[:40]} is too large for a number", code=Code.OVER_LIMIT)
    return value


def _integer(digits: str) -> int:
    if len(digits) > 400:
        raise APIError(400, f"{digits[:20]}... is too large for a number", code=Code.OVER_LIMIT)
    return int(digits)
