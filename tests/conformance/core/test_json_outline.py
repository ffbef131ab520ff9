"""JSON that is too large to be read: what it has beside its large parts."""

from __future__ import annotations

import json

import pytest

from local_dream_conformance.core.json_outline import Unread, parse_large

MOST = 1000
MANY = [0] * 2 * MOST


@pytest.mark.parametrize(
    ("large", "said"),
    [
        (MANY, "an array of about 2001 values"),
        ({"type": "Buffer", "data": MANY}, "an object of about 2003 values"),
        ([[[1, 2, 3]] * 16] * 64, "an array of about 4161 values"),
        ({str(number): {} for number in range(1200)}, "an object of about 2401 values"),
        (["{[,"] * 2 * MOST, "an array of about 2001 values"),
    ],
)
def test_the_rest_of_an_object_is_read(large: object, said: str) -> None:
    parsed = parse_large(json.dumps({"step": 1, "a\nb": large, "last": [{"b": 2}]}), MOST)
    assert parsed.problem == ""
    assert repr(parsed.value.pop("a\nb")) == said
    assert parsed.value == {"step": 1, "last": [{"b": 2}]}


def test_what_is_small_is_read_as_ever() -> None:
    assert parse_large('{"a": [1, {}], "a": 2}', MOST).duplicates == ("a",)
    assert parse_large("[1]", MOST).value == [1]
    assert parse_large("{'a': 1}", MOST).problem


def test_what_is_deep_is_left_out() -> None:
    parsed = parse_large('{"a": ' + "[" * 101 + "]" * 101 + ', "b": 1}', MOST)
    assert parsed.value == {"a": Unread("an array", 102), "b": 1}


def test_a_large_array_is_no_object() -> None:
    assert isinstance(parse_large(" " + json.dumps(MANY), MOST).value, Unread)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": [' + "1," * 2 * MOST + "NaN]}", "what is not JSON stands at character 4007"),
        ('{"a": [' + "'x'," * 2 * MOST + "1]}", "what is not JSON stands at character 7"),
        (json.dumps({"a": MANY}) + "x", "large parts left out"),
        ('{"a": [' + "1," * 2 * MOST + "1]", "large parts left out"),
    ],
)
def test_bad_json_is_told_as_far_as_it_is_looked_at(text: str, problem: str) -> None:
    parsed = parse_large(text, MOST)
    assert parsed.value is None
    assert problem in parsed.problem
    assert not parsed.unread


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({str(number): 0 for number in range(2 * MOST)}),
        json.dumps({"a": ["x"] * 26 * MOST}),
        '{"b": ' + json.dumps(MANY) + ', "a": "' + "x" * 70_000 + '\\ud83d\\ude00"}',
        '{"a": [' + "1," * 2 * MOST,
    ],
    ids=["many members", "many strings", "wide text", "no end"],
)
def test_what_is_not_read_says_so(text: str) -> None:
    parsed = parse_large(text, MOST)
    assert parsed.value is None
    assert parsed.unread


def test_a_large_part_counts_by_what_was_looked_at() -> None:
    assert parse_large(json.dumps({"a": MANY}), MOST).values < 5
    assert parse_large(json.dumps({"a": ["x"] * 20 * MOST}), MOST).values > 0.8 * MOST
