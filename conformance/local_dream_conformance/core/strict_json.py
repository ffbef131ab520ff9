"""JSON as RFC 8259 has it, read from a target: no NaN or Infinity, no duplicate key that goes unseen.

Values take many times the bytes that they have in the text, so that they are counted before they are made.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from sys import getsizeof
from typing import Any, NoReturn

from local_dream_conformance.core.escape import escape

VALUES = 20_000
"""Values that are read of one text."""
DEEP = "nested too deeply"
DEPTH = 100
"""Arrays and objects that may stand in one another."""
LITTLE = 1 << 16
"""Characters of a text that is not looked at for what its strings take: one escape beyond U+FFFF makes four bytes of
each character beside it."""
WIDER = 2
"""So many times what their text takes may strings take. A picture in base64 takes no more than its text."""
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


@dataclass(frozen=True)
class Parsed:
    """A JSON value and what is wrong with its text. `value` is None where `problem` says that it is not JSON.

    `duplicates` are keys that occur twice in one object (the last one counts in `value`, as in most readers).
    `values` is about how many values its text has. `unread`: the problem is that the suite does not read so much, which
    says nothing against the text.
    """

    value: Any
    problem: str = ""
    duplicates: tuple[str, ...] = ()
    values: int = 1
    unread: bool = False


def parse(text: str | bytes, most: int = VALUES) -> Parsed:
    """Reads JSON of at most so many values strictly; never raises."""
    duplicates: list[str] = []

    def constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is not JSON")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            seen: set[str] = set()
            duplicates.extend(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return found

    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        values = count(text)
        if values > most:
            return Parsed(None, f"more than {most} values, which the suite does not read", values=values, unread=True)
        value = json.loads(text, parse_constant=constant, object_pairs_hook=pairs)
        if values > DEPTH and _is_deeper(value, DEPTH):
            raise RecursionError
        taken = _taken(value) if len(text) > LITTLE else 0
        if taken > WIDER * getsizeof(text):
            problem = f"{taken} bytes of text in memory, of {len(text)} characters sent, which the suite does not keep"
            return Parsed(None, problem, values=values, unread=True)
    except RecursionError:
        return Parsed(None, DEEP, unread=True)
    except UnicodeDecodeError as error:
        return Parsed(None, f"not UTF-8 at byte {error.start}")
    except ValueError as error:
        return Parsed(None, escape(str(error)))
    return Parsed(value, "", tuple(duplicates), values)


def count(text: str) -> int:
    """About how many values a text has, and at least as many: by its commas and brackets, those in strings left out
    where there are many."""
    count = 1 + sum(map(text.count, ",[{"))
    return count if count <= DEPTH else 1 + sum(map(_STRING.sub("", text).count, ",[{"))


def _taken(value: Any) -> int:
    """Bytes that the strings in a value take."""
    taken, left = 0, [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            taken += getsizeof(one)
        elif isinstance(one, dict):
            left += (*one, *one.values())
        elif isinstance(one, list):
            left += one
    return taken


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def integer(value: Any) -> int | None:
    """The value as an integer where JSON Schema would call it one (1 and 1.0, not true), else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def number(value: Any) -> float | None:
    """The value as a float where it is a finite JSON number (not true), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if abs(found) != float("inf") else None
