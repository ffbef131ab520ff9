from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from jsonschema import Draft202012Validator

from local_dream_conformance.core.contract import documented
from local_dream_conformance.scenarios import json_values

MANY = settings(
    max_examples=300, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
KEPT = {name: schema for name, schema in documented().items() if name not in ("image", "mask")}


def drawn(strategy: Any) -> list[Any]:
    """300 values, the same each time."""
    found: list[Any] = []
    seed(1)(MANY(given(strategy)(found.append)))()
    return found


@pytest.mark.parametrize("field", documented())
def test_values_are_allowed_and_of_every_type_that_the_field_may_have(field: str) -> None:
    schema = documented()[field]
    values = drawn(json_values.allowed(schema))
    assert all(Draft202012Validator(schema).is_valid(value) for value in values)
    python = {"null": {"NoneType"}, "boolean": {"bool"}, "string": {"str"}}
    numbers = {"integer": {"int", "float"}, "number": {"int", "float"}}
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    assert {type(value).__name__ for value in values} == {name for one in types for name in ({**python, **numbers})[one]}


def test_any_value_of_an_enumeration_is_drawn() -> None:
    assert set(drawn(json_values.allowed(documented()["scheduler"]))) == set(documented()["scheduler"]["enum"])


def test_keywords_without_a_strategy_of_their_own_sift() -> None:
    values = drawn(json_values.allowed({"type": "string", "pattern": "^[^0]*$"}))
    assert values
    assert all("0" not in value for value in values)


def test_objects_have_every_field_at_times_and_fields_that_nobody_knows() -> None:
    bodies = drawn(json_values.objects(KEPT))
    validator = Draft202012Validator({"properties": KEPT})
    assert all(validator.is_valid(body) for body in bodies)
    counts = Counter(name if name in KEPT else "unknown" for body in bodies for name in body)
    assert counts.keys() == {*KEPT, "unknown"}
    assert max(counts[name] for name in KEPT) < len(bodies)
    unknown = {type(value).__name__ for body in bodies for name, value in body.items() if name not in KEPT}
    assert unknown == {"NoneType", "bool", "int", "float", "str", "list", "dict"}
