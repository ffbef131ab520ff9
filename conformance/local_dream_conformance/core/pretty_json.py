"""JSON over many lines, as json.dumps writes it with an indent of 1, at a tenth of the time."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def pretty(value: Any) -> str:
    """The value as JSON in ASCII."""
    try:
        return msgspec.json.format(json.dumps(value), indent=1)
    except msgspec.DecodeError:  # NaN, or half a surrogate pair: a report shows what a target sent
        return json.dumps(value, indent=1)
