"""Faults and quirks of what the field says in other words: further names of schedulers, no limit of tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

from local_dream_mockserver.faults.effects import requests, responses
from local_dream_mockserver.faults.effects.declare import several

EULERA = "eulera"


def with_eulera_as(scheduler: str, values: dict[str, Any]) -> dict[str, Any]:
    """The request with another scheduler in place of eulera."""
    return {**values, "scheduler": scheduler} if values.get("scheduler") == EULERA else values


several(requests.values, "EXT-SCH-04", extensions=("schedulers",))(
    "eulera-is-dpm (EXT-SCH-03): The scheduler eulera is dpm, without a word.",
    partial(with_eulera_as, "dpm"),
    "eulera-is-euler: The scheduler eulera is euler, not euler_a.",
    partial(with_eulera_as, "euler"),
)
several(responses.document, on=("/tokenize",), methods=("POST",), extensions=("tokenize",), quirk=True)(
    "tokens-without-limit: The max_length of /tokenize is 0, no limit, and the overflow_offset of every prompt is -1.",
    lambda count: {**count, "max_length": 0, "overflow_offset": -1},
)
