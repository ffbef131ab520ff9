"""Text from targets on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_dream_conformance.core.escape import escape


@given(st.one_of(st.text(), st.binary()))
def test_nothing_unprintable_and_nothing_long_gets_through(text: str | bytes) -> None:
    shown = escape(text, 20)
    assert shown.isprintable()
    shown.encode("utf-8")
    assert len(shown) < 20 * 10 + 30


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 한국어 é", "plain 한국어 é"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202eevil\ud800", "\\u202eevil\\ud800"),
        (b"ok \xff\xfe", "ok \\xff\\xfe"),
        ("x" * 213, "x" * 213),
        ("x" * 214, "x" * 200 + "... (14 more)"),
        (b"x" * 5000, "x" * 200 + "... (4800 more)"),
    ],
)
def test_examples(text: str | bytes, shown: str) -> None:
    assert escape(text) == shown


def test_lines() -> None:
    assert escape("event: a\r\ndata: b\x07\n", lines=True) == "event: a\\r\\n\ndata: b\\x07\\n\n"
    assert escape("a" * 300 + "\n", lines=True) == "a" * 200 + "... (101 more)"
