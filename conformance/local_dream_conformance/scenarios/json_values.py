"""JSON values drawn at random: any, and those that a schema allows. The same `Random` gives the same values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from jsonschema import Draft202012Validator

INTEGERS = (0, 1, -1, 2**31, 2**32, -(2**40))
FLOATS = (0.5, -0.5, 1.5, 1e-9, 1e300)
TEXTS = ("", "0", "7", "-1", "1.5", "true", "null", "none", " ")
"""Values at which readers stumble; numbers in quotes above all. Half of what is drawn comes from these."""
LARGEST = 2**40
LONGEST = 20
"""Characters of a text."""
CHARACTERS = ((0x20, 0x7E), (0x01, 0x1F), (0x7F, 0x24F), (0x0300, 0x30FF), (0x1F300, 0x1FAFF))
"""Ranges of code points: printable ASCII, control characters, Latin, other letters and marks, pictures."""
TRIES = 1000


def anything(random: Random, depth: int = 1) -> Any:
    """A JSON value of any type; lists and objects hold at most three others, `depth` levels deep."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: random.random() < 0.5,
        lambda: _integer(random),
        lambda: _float(random),
        lambda: _text(random),
    ]
    if depth:
        kinds.append(lambda: [anything(random, depth - 1) for _ in range(random.randrange(4))])
        kinds.append(lambda: {_text(random): anything(random, depth - 1) for _ in range(random.randrange(4))})
    return random.choice(kinds)()


def allowed(random: Random, schema: Mapping[str, Any]) -> Any:
    """A value that a schema with `type` allows, such as 1.0 for an integer; one of its `enum` where it has that.

    Bounds steer what is drawn; the schema's other keywords sift it. Raises ValueError where nothing gets through.
    """
    validator = Draft202012Validator(dict(schema))
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    for _ in range(TRIES):
        value = random.choice(schema["enum"]) if "enum" in schema else _OF_TYPE[random.choice(types)](random, schema)
        if validator.is_valid(value):
            return value
    raise ValueError(f"no value was found that {schema} allows")


def fields(random: Random, known: Mapping[str, Mapping[str, Any]], unknown: int = 3) -> dict[str, Any]:
    """An object with some of the known fields, each as its schema allows, and at most `unknown` that nobody knows."""
    wanted = random.randrange(len(known) + 1)
    body = {name: allowed(random, known[name]) for name in random.sample(sorted(known), wanted)}
    others = {_text(random): anything(random) for _ in range(random.randrange(unknown + 1))}
    return {**{name: value for name, value in others.items() if name not in known}, **body}


def _integer(random: Random, low: int = -LARGEST, high: int = LARGEST) -> int:
    known = [value for value in INTEGERS if low <= value <= high]
    return random.choice(known) if known and random.random() < 0.5 else random.randint(low, high)


def _float(random: Random, low: float = -1e9, high: float = 1e9) -> float:
    known = [value for value in FLOATS if low <= value <= high]
    return random.choice(known) if known and random.random() < 0.5 else random.uniform(low, high)


def _text(random: Random, shortest: int = 0) -> str:
    known = [text for text in TEXTS if len(text) >= shortest]
    if random.random() < 0.5:
        return random.choice(known)
    low, high = random.choice(CHARACTERS)
    return "".join(chr(random.randint(low, high)) for _ in range(random.randint(max(1, shortest), LONGEST)))


def _allowed_integer(random: Random, schema: Mapping[str, Any]) -> int | float:
    value = _integer(random, schema.get("minimum", -LARGEST), schema.get("maximum", LARGEST))
    return float(value) if random.random() < 0.3 else value


def _allowed_number(random: Random, schema: Mapping[str, Any]) -> int | float:
    low, high = schema.get("minimum", -LARGEST), schema.get("maximum", LARGEST)
    if random.random() < 0.3:
        return _integer(random, math.ceil(low), math.floor(high))
    return _float(random, low, high)


_OF_TYPE: dict[str, Callable[[Random, Mapping[str, Any]], Any]] = {
    "null": lambda random, schema: None,
    "boolean": lambda random, schema: random.random() < 0.5,
    "integer": _allowed_integer,
    "number": _allowed_number,
    "string": lambda random, schema: _text(random, schema.get("minLength", 0)),
}
