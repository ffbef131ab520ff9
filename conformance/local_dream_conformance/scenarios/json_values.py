"""JSON values as hypothesis strategies: any, and those that a schema allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

LARGEST = 2**40
"""Bound of integers that a schema does not bound."""
LONGEST = 20
"""Characters of a text."""


def anything() -> st.SearchStrategy[Any]:
    """JSON values of every type, small: lists and objects hold at most three leaves."""
    leaves = st.one_of(st.none(), st.booleans(), st.integers(-LARGEST, LARGEST), _floats(), st.text(max_size=LONGEST))
    return st.one_of(leaves, st.lists(leaves, max_size=3), st.dictionaries(st.text(max_size=8), leaves, max_size=3))


def allowed(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema with `type` allows, a 1.0 for an integer among them; an `enum` is drawn from.

    Bounds steer what is drawn; the other keywords sift it.
    """
    validator = Draft202012Validator(dict(schema))
    if "enum" in schema:
        drawn = st.sampled_from(schema["enum"])
    else:
        types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        drawn = st.one_of(*(_OF_TYPE[name](schema) for name in types))
    return drawn.filter(validator.is_valid)


def objects(fields: Mapping[str, Mapping[str, Any]], unknown: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with any of these fields, each as its schema allows, and up to `unknown` fields that nobody knows."""
    known = st.fixed_dictionaries({}, optional={name: allowed(schema) for name, schema in fields.items()})
    names = st.text(max_size=LONGEST).filter(lambda name: name not in fields)
    others = st.dictionaries(names, anything(), max_size=unknown)
    return st.builds(lambda some, more: {**more, **some}, known, others)


def _floats(**bounds: float) -> st.SearchStrategy[float]:
    return st.floats(**bounds, allow_nan=False, allow_infinity=False)


def _integers(schema: Mapping[str, Any]) -> st.SearchStrategy[int | float]:
    whole = st.integers(schema.get("minimum", -LARGEST), schema.get("maximum", LARGEST))
    return st.one_of(whole, whole.map(float))


def _numbers(schema: Mapping[str, Any]) -> st.SearchStrategy[int | float]:
    low, high = schema.get("minimum"), schema.get("maximum")
    whole = st.integers(-LARGEST if low is None else int(low), LARGEST if high is None else int(high))
    return st.one_of(_floats(min_value=low, max_value=high), whole)


def _texts(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", LONGEST))


_OF_TYPE: dict[str, Callable[[Mapping[str, Any]], st.SearchStrategy[Any]]] = {
    "null": lambda schema: st.none(),
    "boolean": lambda schema: st.booleans(),
    "integer": _integers,
    "number": _numbers,
    "string": _texts,
}
