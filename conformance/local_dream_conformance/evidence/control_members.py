"""What the members of the control API's objects are to be: in words, and as a question that a value answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_dream_conformance.core.strict_json import integer, number

Fits = Callable[[Any], bool]
"""Whether a value of JSON is of a type."""


def is_text(found: Any) -> bool:
    return isinstance(found, str)


def is_filled(found: Any) -> bool:
    return isinstance(found, str) and found != ""


def is_flag(found: Any) -> bool:
    return isinstance(found, bool)


def is_positive(found: Any) -> bool:
    whole = integer(found)
    return whole is not None and whole >= 1


def is_number(found: Any) -> bool:
    return number(found) is not None


def is_pairs(found: Any) -> bool:
    return isinstance(found, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(map(is_positive, pair)) for pair in found
    )


def or_null(fits: Fits) -> Fits:
    return lambda found: found is None or fits(found)


TEXT, FLAG = ("a text", is_text), ("true or false", is_flag)
DEFAULTS: dict[str, tuple[str, Fits]] = {
    "prompt": TEXT,
    "negative_prompt": TEXT,
    "steps": ("a number", is_number),
    "cfg": ("a number", is_number),
    "scheduler": TEXT,
}
MODEL: dict[str, tuple[str, Fits]] = {
    **dict.fromkeys(("name", "description", "dit_kind"), TEXT),
    **dict.fromkeys(("run_on_cpu", "is_sdxl", "is_anima", "is_custom"), FLAG),
    "generation_size": ("a positive integer", is_positive),
    "defaults": ("an object", lambda found: isinstance(found, dict)),
    "resolutions": ("an array of pairs of positive integers", is_pairs),
}
"""What a model says of itself, beside its id: what it is to be in words, and whether it is that."""
NULLABLE: dict[str, tuple[str, Fits]] = {
    **dict.fromkeys(("serving_model_id", "message", "error_model_id"), ("a text or null", or_null(is_text))),
    **dict.fromkeys(("width", "height"), ("a positive integer or null", or_null(is_positive))),
}
"""What GET /status says beside the state."""
