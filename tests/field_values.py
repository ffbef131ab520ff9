"""Values for the fields of /generate, made from their schemas, so that tests know every field without a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def type_of(schema: Mapping[str, Any]) -> str:
    """The JSON type of a field beside null."""
    kinds = schema["type"]
    return kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")


def another(schema: Mapping[str, Any]) -> Any:
    """A value that a field may have and that is not its default. Pictures are not for this function."""
    kind, default = type_of(schema), schema.get("default", 0)
    if "enum" in schema:
        return next(value for value in schema["enum"] if value not in (default, None))
    if kind == "string":
        return "another"
    if kind == "boolean":
        return not default
    if kind == "number":
        return (default + schema["maximum"]) / 2 if "maximum" in schema else default + 1.5
    return default + schema.get("multipleOf", 1)


def of_wrong_type(schema: Mapping[str, Any]) -> Any:
    """A value that the field's type excludes, with the field's own type in its text."""
    return {"string": 5, "boolean": "true", "number": "8", "integer": "8", "array": "none"}[type_of(schema)]


def out_of_range(schema: Mapping[str, Any]) -> dict[str, Any]:
    """For each keyword of the schema a value of the right type that breaks this keyword alone."""
    step = schema.get("multipleOf", 1)
    values: dict[str, Callable[[], Any]] = {
        "minimum": lambda: schema["minimum"] - step,
        "maximum": lambda: schema["maximum"] + step,
        "multipleOf": lambda: schema["minimum"] + 1,
        "enum": lambda: "no-such-value",
        "pattern": lambda: "no such form",
        "minLength": lambda: "",
    }
    return {keyword: make() for keyword, make in values.items() if keyword in schema}
