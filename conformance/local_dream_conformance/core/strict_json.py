"""JSON as RFC 8259 has it, read from a target: no NaN or Infinity, no duplicate key that goes unseen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from local_dream_conformance.core.escape import escape


@dataclass(frozen=True)
class Parsed:
    """A JSON value and what is wrong with its text. `value` is None where `problem` says that it is not JSON.

    `duplicates` are keys that occur twice in one object (the last one counts in `value`, as in most readers).
    """

    value: Any
    problem: str = ""
    duplicates: tuple[str, ...] = ()


def parse(text: str | bytes) -> Parsed:
    """Reads JSON strictly; never raises."""
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
        value = json.loads(text, parse_constant=constant, object_pairs_hook=pairs)
    except RecursionError:
        return Parsed(None, "nested too deeply")
    except UnicodeDecodeError as error:
        return Parsed(None, f"not UTF-8 at byte {error.start}")
    except ValueError as error:
        return Parsed(None, escape(str(error)))
    return Parsed(value, "", tuple(duplicates))


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
