"""JSON of targets: read strictly, never raising."""

from __future__ import annotations

import json
import re

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
        ("[" * 10_000, "deeply"),
        ("[" * 101 + "]" * 101, "deeply"),
        ('{"a":' * 101 + "1" + "}" * 101, "deeply"),
        ("[" + "[]," * 20_000 + "1]", "more than 20000 values"),
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


def test_what_is_bounded_does_not_count_what_stands_in_a_string() -> None:
    text = ",[{" * 10_000
    assert parse(json.dumps({"message": text + '"\\'})).value == {"message": text + '"\\'}
    assert parse("[" * 100 + "]" * 100).problem == ""
    assert parse("[1,2,3]", most=2).problem


@pytest.mark.parametrize("wide", ["\\ud83d\\ude00", "\\u00e9\\ud83d\\ude00"])
def test_text_that_is_small_on_the_wire_and_large_in_memory_is_not_kept(wide: str) -> None:
    parsed = parse('{"image":"' + "x" * 200_000 + wide + '"}')
    assert parsed.value is None
    assert re.fullmatch(r"800\d\d\d bytes of text in memory, of 2000\d\d characters sent, .*", parsed.problem)


@pytest.mark.parametrize("text", ["\\ud83d\\ude00", "\\ud55c\\uae00", "\N{GRINNING FACE}"])
def test_wide_text_beside_a_picture_is_read(text: str) -> None:
    parsed = parse('{"image":"' + "x" * 200_000 + '","prompt":"' + text * 9 + '"}')
    assert len(parsed.value["image"]) == 200_000
    assert parse('{"prompt":"' + "x" * 20_000 + text + '"}').problem == ""
