"""JSON of targets: read strictly, never raising."""

from __future__ import annotations

import pytest

from local_dream_conformance.core.strict_json import integer, number, parse


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": NaN}', "NaN"),
        ("[Infinity]", "Infinity"),
        ("-Infinity", "Infinity"),
        ("{'a': 1}", "quotes"),
        ("", "Expecting value"),
        ("{} x", "Extra data"),
        ("[" * 100_000, "deeply"),
        ("1" * 5000, "digits"),
        (b'"\xff"', "not UTF-8 at byte 1"),
    ],
)
def test_what_is_not_json(text: str | bytes, problem: str) -> None:
    parsed = parse(text)
    assert parsed.value is None
    assert problem in parsed.problem


def test_duplicate_keys_are_seen_at_every_depth() -> None:
    parsed = parse('{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}')
    assert parsed.value == {"a": 3, "b": {"c": 2}}
    assert sorted(parsed.duplicates) == ["a", "c"]
    assert parse('{"a": 1}').duplicates == ()


def test_numbers() -> None:
    assert [integer(value) for value in (1, 1.0, -2, True, 1.5, "1", None, float("inf"))] == [
        1, 1, -2, None, None, None, None, None,
    ]  # fmt: skip
    assert [number(value) for value in (1, 1.5, True, "1", float("inf"), 10**400)] == [1.0, 1.5, None, None, None, None]
