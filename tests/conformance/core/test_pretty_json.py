"""JSON over many lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_dream_conformance.core.pretty_json import pretty

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(VALUES)
def test_it_is_what_json_writes(value: Any) -> None:
    assert pretty(value) == json.dumps(value, indent=1)


@pytest.mark.parametrize("value", [[], {}, [[], {}], {"a": {}}, ["\ud800"], [float("nan")], ['\u2028é/\\"']])
def test_what_another_writer_might_write_otherwise(value: Any) -> None:
    assert pretty(value) == json.dumps(value, indent=1)
