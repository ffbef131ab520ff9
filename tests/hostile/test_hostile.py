"""Hostile targets that CI tries; `python -m tests.hostile` tries them all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.behind import mock
from tests.hostile.hostile import MEMORY, Hostile
from tests.hostile.judged import Ran
from tests.hostile.outcome import Kept, Outcome, page
from tests.hostile.senders import without_end
from tests.hostile.targets import TARGETS
from tests.hostile.trial import attempt, wrong

FAST = [hostile for hostile in TARGETS if hostile.fast]


@pytest.fixture(scope="module")
def upstream() -> Iterator[tuple[str, int]]:
    with mock() as place:
        yield place


@pytest.mark.parametrize("hostile", FAST, ids=[hostile.name for hostile in FAST])
def test_a_run_ends_as_it_must(hostile: Hostile, upstream: tuple[str, int]) -> None:
    ran, problems = attempt(hostile, upstream)
    assert not problems, ran.printed[-4000:]


def test_there_are_enough_of_them() -> None:
    assert len(TARGETS) >= 60
    assert not [name for name, count in Counter(hostile.name for hostile in TARGETS).items() if count > 1]


def test_what_goes_wrong_is_seen() -> None:
    report = {"requirements": [{"id": "ERR-02", "verdict": "error"}]}
    printed = "\n::error::owned\x1b[2J\nTraceback (most recent call last)\n"
    bad = Ran(0, MEMORY + 1, 1e6, 1.0, printed, (), json.loads(json.dumps(report)))
    found = "; ".join(wrong(FAST[0], bad))
    for sign in (
        "exit status 0",
        "not broken",
        "MiB",
        "processor",
        "Traceback",
        "fault of the suite",
        "runner",
        "\\x1b",
    ):
        assert sign in found


@pytest.mark.parametrize("cut", [1, 3, 7, 100])
def test_an_end_is_taken_off_however_it_is_cut(cut: int) -> None:
    whole = b"head\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    assert b"".join(without_end(pieces)) == whole.removesuffix(b"0\r\n\r\n")
    assert b"".join(without_end([whole[:-5]])) == whole[:-5]


def test_outcomes_are_kept_and_make_the_page(tmp_path: Path) -> None:
    ran = Ran(1, 134, 5.2, 12.0, "", tuple(f"ERR-0{n}" for n in range(8)), None)
    kept = Kept(tmp_path / "kept")
    kept.add(Outcome.of(TARGETS[0].name, ran, []))
    kept.add(Outcome.of(TARGETS[1].name, ran, ["no report"]))
    made = page(list(Kept(tmp_path / "kept").outcomes.values()))
    assert f"1 of 2 ended as they must, {len(TARGETS) - 2} of {len(TARGETS)} were not tried" in made
    shown = "ERR-00, ERR-01, ERR-02, ERR-03, ERR-04, ERR-05 and 2 more"
    assert f"| {TARGETS[0].name} | 1 | 134 | 5 | 12 | {shown} |" in made
    assert f"{shown} ✗ no report |" in made
