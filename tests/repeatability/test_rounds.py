"""What of many rounds is told to differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repeatability.rounds import Round, differences, page, read


def _round(code: int = 0, *, busy: bool = False, **states: str) -> Round:
    return Round("mock", busy, 1, code, {"HLT-01": "pass", **states}, 3.0, "2026-11-27")


def test_rounds_that_are_the_same_differ_in_nothing() -> None:
    assert differences([_round(), _round(busy=True)]) == []
    assert "Nothing differed." in page([_round(), _round(busy=True)])


def test_a_requirement_that_flips_is_told_with_its_surroundings() -> None:
    rounds = [_round(ROB="pass"), _round(ROB="pass"), _round(ROB="untested", busy=True)]
    assert differences(rounds) == ["mock: ROB pass 2 times, untested 1 times (not pass: busy)"]
    assert "- mock: ROB" in page(rounds)


def test_a_requirement_that_a_round_lacks_differs() -> None:
    assert "missing 1 times" in differences([_round(ROB="pass"), _round(ROB="pass"), _round()])[0]


def test_an_exit_status_that_is_not_always_the_same_differs() -> None:
    assert differences([_round(0), _round(7), _round(0)]) == ["mock: exit status 0 2 times, 7 1 times"]


def test_servers_are_compared_with_themselves_only() -> None:
    other = Round("reference", False, 4, 1, {}, 9.0, "2026-11-27")
    assert differences([_round(), other]) == []
    assert "| reference | idle, -n 4 | 1 | 1 1 times |" in page([_round(), other])


def test_rounds_are_kept_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    assert read(path) == []
    path.write_text(_round().line() + _round(busy=True).line())
    assert read(path) == [_round(), _round(busy=True)]


def test_no_rounds_make_no_page() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        page([])
