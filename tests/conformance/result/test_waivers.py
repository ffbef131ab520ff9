from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from local_dream_conformance.core import contract
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict
from local_dream_conformance.result import waiver, waiver_file
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.waiver import Waiver
from local_dream_conformance.result.waiver_file import BadWaivers
from tests.conformance.tiny_suite import SPEC

CONTRACT = contract.load(SPEC)
GOOD = """
[[waiver]]
id = "TINY-GEN-02"
reason = "the blue ink is ordered"
issue = "https://example.org/issues/7"
owner = "ink team"
expires = 2026-12-31
"""
WAIVER = Waiver(
    "TINY-GEN-02",
    "the blue ink is ordered",
    "waivers.toml",
    "https://example.org/issues/7",
    "ink team",
    date(2026, 12, 31),
)
FINDING = Finding("blue", "red")


def file(folder: Path, text: str) -> Path:
    path = folder / "waivers.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    found = waiver_file.load(file(tmp_path, GOOD), CONTRACT)
    assert list(found) == ["TINY-GEN-02"]
    assert found["TINY-GEN-02"] == replace(WAIVER, source=str(tmp_path / "waivers.toml"))


def test_an_issue_may_be_left_out_and_a_file_may_be_empty(tmp_path: Path) -> None:
    without = "\n".join(line for line in GOOD.splitlines() if not line.startswith("issue"))
    assert waiver_file.load(file(tmp_path, without), CONTRACT)["TINY-GEN-02"].issue == ""
    assert waiver_file.load(file(tmp_path, ""), CONTRACT) == {}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('id = "TINY-GEN-02"', "", 'waiver 1 has no id; give the requirement, such as id = "GEN-SSE-07"'),
        ("TINY-GEN-02", "TINY-GEN-22", "the contract has no requirement TINY-GEN-22; did you mean TINY-GEN-02?"),
        ("TINY-GEN-02", "X-1", "the contract has no requirement X-1; `local-dream spec --requirements` lists all"),
        ("TINY-GEN-02", "TINY-GEN-05", "TINY-GEN-05 is a MAY and never fails; remove its waiver"),
        ("TINY-GEN-02", "TINY-GEN-06", "TINY-GEN-06 is never judged; remove its waiver"),
        ("the blue ink is ordered", " ", "the waiver of TINY-GEN-02 has no reason: say why it is accepted"),
        ("ink team", "", "the waiver of TINY-GEN-02 has no owner: say who is to repair it"),
        (
            "expires = 2026-12-31",
            "",
            "the waiver of TINY-GEN-02 has no last day: give it without quotes, such as expires",
        ),
        ("2026-12-31", '"2026-12-31"', "the waiver of TINY-GEN-02 has no last day"),
        ("2026-12-31", "2026-12-31T10:00:00", "the waiver of TINY-GEN-02 has no last day"),
        ('"https://example.org/issues/7"', "7", "the waiver of TINY-GEN-02: issue must be a text"),
        (
            "owner",
            "ower",
            "the waiver of TINY-GEN-02 has an unknown key ower; there are id, reason, issue, owner, expires",
        ),
        ("[[waiver]]", "[[waivers]]", "unknown key waivers; each waiver is a table [[waiver]]"),
        ("[[waiver]]", "[waiver]", "each waiver is a table [[waiver]]"),
        ("reason =", "reason", "is not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_one_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(BadWaivers) as caught:
        waiver_file.load(file(tmp_path, GOOD.replace(old, new)), CONTRACT)
    assert words in str(caught.value)
    assert str(tmp_path / "waivers.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_requirement_is_waived_once_and_the_file_exists(tmp_path: Path) -> None:
    with pytest.raises(BadWaivers, match="TINY-GEN-02 is waived twice; keep one"):
        waiver_file.load(file(tmp_path, GOOD * 2), CONTRACT)
    with pytest.raises(BadWaivers, match="cannot be read: No such file"):
        waiver_file.load(tmp_path / "absent.toml", CONTRACT)


KNOWN = Waiver("TINY-GEN-02", "it has no blue ink", "known in Tiny 1", known=True)


@pytest.mark.parametrize(
    ("verdict", "covering", "today", "expected", "reason"),
    [
        (Verdict.FAIL, None, date(2026, 1, 1), Verdict.FAIL, ""),
        (
            Verdict.FAIL,
            WAIVER,
            date(2026, 12, 31),
            Verdict.WAIVED,
            "until 2026-12-31, ink team, https://example.org/issues/7: the blue ink is ordered",
        ),
        (
            Verdict.FAIL,
            WAIVER,
            date(2027, 1, 1),
            Verdict.STALE,
            "its waiver in waivers.toml expired on 2026-12-31 (ink team): the blue ink is ordered",
        ),
        (
            Verdict.PASS,
            WAIVER,
            date(2026, 1, 1),
            Verdict.STALE,
            "it holds, and yet waivers.toml waives it: remove that waiver",
        ),
        (Verdict.FAIL, KNOWN, date(2026, 1, 1), Verdict.WAIVED, "known in Tiny 1: it has no blue ink"),
        (Verdict.PASS, KNOWN, date(2026, 1, 1), Verdict.PASS, ""),
    ],
)
def test_what_a_waiver_makes_of_a_judgement(
    verdict: Verdict, covering: Waiver | None, today: date, expected: Verdict, reason: str
) -> None:
    judgement = Judgement("TINY-GEN-02", verdict, "", (FINDING,), 3, ("base",))
    found = waiver.apply(judgement, covering, today)
    assert (found.verdict, found.reason) == (expected, reason)
    assert (found.findings, found.assertions, found.evidence) == ((FINDING,), 3, ("base",))


def test_a_broken_should_can_be_waived_too() -> None:
    found = waiver.apply(Judgement("TINY-GEN-02", Verdict.WARN), WAIVER, date(2026, 1, 1))
    assert found.verdict is Verdict.WAIVED


@pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.UNTESTED, Verdict.NOT_APPLICABLE, Verdict.ERROR])
def test_a_waiver_does_not_judge_what_was_not_judged(verdict: Verdict) -> None:
    judgement = Judgement("TINY-GEN-02", verdict, "why")
    assert waiver.apply(judgement, WAIVER, date(2027, 1, 1)) == judgement


def test_a_draft_is_refused_until_someone_says_why_and_who(tmp_path: Path) -> None:
    requirement = CONTRACT.by_id["TINY-GEN-02"]
    finding = Finding("the word blue", 'a line\n[[waiver]]\nid = "X"\x1b[2J')
    judgement = Judgement("TINY-GEN-02", Verdict.FAIL, "", (finding,))
    text = waiver_file.draft([RequirementResult.of(requirement, judgement)], "http://127.0.0.1:8081")
    assert "# MUST: Base MUST be blue.\n# expected the word blue\n# got a line\\n[[waiver]]" in text
    with pytest.raises(BadWaivers, match="the waiver of TINY-GEN-02 has no reason"):
        waiver_file.load(file(tmp_path, text), CONTRACT)
    filled = text.replace('reason = ""', 'reason = "ink"').replace('owner = ""', 'owner = "me"')
    found = waiver_file.load(file(tmp_path, filled), CONTRACT)
    assert list(found) == ["TINY-GEN-02"]
    assert waiver.apply(judgement, found["TINY-GEN-02"], date.today()).verdict is Verdict.WAIVED
