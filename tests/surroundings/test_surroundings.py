"""A right server is found right wherever it stands. The slow ones: `python -m tests.surroundings`."""

from __future__ import annotations

import os

import pytest

from tests.surroundings.judged import judge, wrong
from tests.surroundings.servers import SURROUNDINGS, Surrounding

QUICK = [one for one in SURROUNDINGS if one.quick]


@pytest.mark.parametrize("surrounding", QUICK, ids=[one.name for one in QUICK])
def test_nothing_is_wrong(surrounding: Surrounding) -> None:
    if missing := surrounding.missing():
        if os.environ.get("CI"):
            pytest.fail(f"CI needs {missing}")
        pytest.skip(f"needs {missing}")
    with surrounding.stands() as url:
        judgements, _ = judge(url, profile="hardened", **surrounding.options)
    assert not wrong(judgements)
