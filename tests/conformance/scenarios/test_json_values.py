from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from local_dream_conformance.core.fields import documented
from local_dream_conformance.scenarios import json_values

KEPT = {name: field.schema for name, field in documented().items() if name not in ("image", "mask")}
PYTHON = {
    "null": ["NoneType"],
    "boolean": ["bool"],
    "string": ["str"],
    "integer": ["int", "float"],
    "number": ["int", "float"],
}


def drawn(draw: Callable[[Random], Any]) -> list[Any]:
    return [draw(Random(number)) for number in range(400)]


@pytest.mark.parametrize("field", documented())
def test_values_are_allowed_and_of_every_type_that_the_field_may_have(field: str) -> None:
    schema = documented()[field].schema
    values = drawn(lambda random: json_values.allowed(random, schema))
    validator = Draft202012Validator(schema)
    assert all(validator.is_valid(value) for value in values)
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    assert {type(value).__name__ for value in values} == {name for one in types for name in PYTHON[one]}
    assert {str(value) for value in schema.get("enum", ())} <= {str(value) for value in values}


def test_keywords_without_a_drawer_of_their_own_sift() -> None:
    values = drawn(lambda random: json_values.allowed(random, {"type": "string", "pattern": "^[^0]*$"}))
    assert all("0" not in value for value in values)


def test_a_schema_that_nothing_satisfies_is_an_error() -> None:
    with pytest.raises(ValueError, match="no value was found"):
        json_values.allowed(Random(1), {"type": "boolean", "not": {}})


def test_any_value_is_json_of_every_type() -> None:
    values = drawn(json_values.anything)
    assert {type(value).__name__ for value in values} == {"NoneType", "bool", "int", "float", "str", "list", "dict"}
    for value in values:
        assert json.loads(json.dumps(value, allow_nan=False).encode("utf-8")) == value


def test_objects_have_every_field_at_times_and_fields_that_nobody_knows() -> None:
    bodies = drawn(lambda random: json_values.fields(random, KEPT))
    validator = Draft202012Validator({"properties": KEPT})
    assert all(validator.is_valid(body) for body in bodies)
    counts = Counter(name if name in KEPT else "unknown" for body in bodies for name in body)
    assert counts.keys() == {*KEPT, "unknown"}
    assert max(counts[name] for name in KEPT) < len(bodies)
    unknown = {type(value).__name__ for body in bodies for name, value in body.items() if name not in KEPT}
    assert unknown == {"NoneType", "bool", "int", "float", "str", "list", "dict"}
