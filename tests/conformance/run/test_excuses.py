"""What a waived requirement keeps from being judged is excused, and a run with nothing else is conformant with
waivers."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.core.verdict import Finding, Judgement, Verdict
from local_dream_conformance.result.waiver import Waiver
from local_dream_conformance.run.excuses import Excuses
from local_dream_mockserver.faults.catalogue import entries
from local_dream_mockserver.faults.emulated.releases import personalities
from tests.conformance.judging import QUICK, Evaluator
from tests.conformance.tiny_server import TinyServer
from tests.matrix.standing import standing

pytest_plugins = ["pytester"]

FAULTS = entries()
TODAY = date(2026, 6, 1)
FOUND = (Finding("this", "that", "base"),)
BROKEN = Judgement("A", Verdict.FAIL, "", FOUND, 1, ("base",))
WAIVED = Waiver("A", "ordered", "w.toml", owner="me", expires=date(2026, 12, 31))


def blocked(id: str, *by: str) -> Judgement:
    return Judgement(id, Verdict.BLOCKED, f"{by[0]} does not hold", blocked_by=by)


def excused(judgement: Judgement, others: list[Judgement], *waivers: Waiver) -> Judgement:
    judged = {one.id: one for one in (BROKEN, judgement, *others)}
    return Excuses({one.id: one for one in waivers}, judged.__getitem__, TODAY).apply(judgement)


UNUSABLE = Judgement("C", Verdict.UNTESTED, "no stream has an event", (), 0, ("base", "defaults/absent"), unusable=True)
OTHER = Judgement("B", Verdict.FAIL, "", (Finding("this", "that", "other"),))


@pytest.mark.parametrize(
    ("judgement", "others", "waivers", "reason"),
    [
        (blocked("B", "A"), [], [WAIVED], "A does not hold; A is waived"),
        (blocked("C", "B"), [blocked("B", "A")], [WAIVED], "B does not hold; A is waived"),
        (blocked("C", "A", "B"), [OTHER], [WAIVED], ""),
        (
            blocked("C", "A", "B"),
            [OTHER],
            [WAIVED, Waiver("B", "r", "k", known=True)],
            "A does not hold; A and B are waived",
        ),
        (blocked("B", "A"), [], [Waiver("A", "ordered", "w.toml", expires=date(2026, 5, 31))], ""),
        (blocked("B", "A"), [], [Waiver("B", "of its own", "w.toml", known=True)], ""),
        (UNUSABLE, [], [WAIVED], "no stream has an event; A is waived"),
        (UNUSABLE, [OTHER], [Waiver("B", "r", "k", known=True)], ""),
        (Judgement("C", Verdict.UNTESTED, "over budget", (), 0, ("base",)), [], [WAIVED], ""),
        (Judgement("D", Verdict.UNTESTED, "C: no", blocked_by=("C",)), [UNUSABLE], [WAIVED], "C: no; A is waived"),
        (
            Judgement("D", Verdict.UNTESTED, "C: over", blocked_by=("C",)),
            [Judgement("C", Verdict.UNTESTED, "over budget")],
            [WAIVED],
            "",
        ),
        (blocked("B", "A"), [Judgement("A", Verdict.ERROR, "it raised")], [WAIVED], ""),
    ],
)
def test_who_is_excused(judgement: Judgement, others: list[Judgement], waivers: list[Waiver], reason: str) -> None:
    found = excused(judgement, others, *waivers)
    assert found.excused is bool(reason)
    assert found.reason == (reason or judgement.reason)
    assert found.verdict is judgement.verdict


FILE = """
[[waiver]]
id = "TINY-GEN-01"
reason = "good ink is ordered: 그림"
owner = "ink team"
expires = {expires}
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
@pytest.mark.parametrize("strict", [(), ("--strict",)])
def test_a_run_with_nothing_but_waivers(
    judge: Evaluator, server: TinyServer, workers: tuple[str, ...], strict: tuple[str, ...]
) -> None:
    server.words = b"neat words"
    Path("w.toml").write_text(FILE.format(expires="2999-12-31"), encoding="utf-8")
    reports = ("--json-report", "r.json", "--html-report", "r.html", "--markdown-report", "r.md", "--junitxml", "r.xml")
    result = judge(server, "--waivers", "w.toml", *reports, "-v", *workers, *strict)
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "*TINY-GEN-02*EXCUSED*" if not workers else "*EXCUSED*TINY-GEN-02*",
            "generate  1 waived, 1 excused, 1 pass *",
            "waived (until 2999-12-31, ink team: good ink is ordered: 그림): TINY-GEN-01",
            "excused (TINY-GEN-01 does not hold; TINY-GEN-01 is waived): TINY-GEN-02",
            "CONFORMANT WITH WAIVERS: *: * hold, 1 waived, 1 excused",
            "* 1 excused*",
        ]
    )
    written: dict[str, Any] = json.loads(Path("r.json").read_text(encoding="utf-8"))
    (entry,) = [one for one in written["requirements"] if one["id"] == "TINY-GEN-02"]
    assert (written["outcome"], written["exit_code"]) == ("conformant", 0)
    assert (entry["verdict"], entry["excused"], entry["blocked_by"]) == ("blocked", True, ["TINY-GEN-01"])
    assert "Conformant with waivers" in Path("r.html").read_text(encoding="utf-8")
    markdown = Path("r.md").read_text(encoding="utf-8")
    assert "Local Dream conformance: conformant with waivers" in markdown
    assert "- excused (`TINY-GEN-01 does not hold; TINY-GEN-01 is waived`): TINY-GEN-02" in markdown
    cases = {case.get("name"): case for case in ElementTree.parse("r.xml").getroot().iter("testcase")}
    said = {entry.get("name"): entry.get("value") for entry in cases["TINY-GEN-02"].iter("property")}
    assert (said["verdict"], said["excused"]) == ("blocked", "true")


def test_a_waiver_that_is_over_excuses_nothing(judge: Evaluator, server: TinyServer) -> None:
    server.words = b"neat words"
    Path("w.toml").write_text(FILE.format(expires="2020-12-31"), encoding="utf-8")
    result = judge(server, "--waivers", "w.toml")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["blocked (TINY-GEN-01 does not hold): TINY-GEN-02", "NOT CONFORMANT: *"])


def test_what_else_is_broken_still_fails(judge: Evaluator, server: TinyServer) -> None:
    server.words, server.health = b"neat words", b"no"
    Path("w.toml").write_text(FILE.format(expires="2999-12-31"), encoding="utf-8")
    assert judge(server, "--waivers", "w.toml").ret == 1


SUBJECTS = ("terminal-missing", "event-line-missing", "bytes-lost", "format-png-is-raw", "error-flat", "2.4", "2.7")
"""Faults, and releases: each keeps others from being judged, in one way or another."""


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_broken_server_all_of_whose_failures_are_waived(pytester: pytest.Pytester, name: str) -> None:
    options = ("--strict", "--no-img2img", "--upscaler-path", "default", "--idle-timeout", "3")
    with standing({**FAULTS, **personalities()}[name]) as (url, _):
        arguments = (*QUICK, *options, "--target", url)
        first = pytester.runpytest_subprocess(*arguments, "--write-waivers", "w.toml")
        assert first.ret == 1
        text = Path("w.toml").read_text(encoding="utf-8")
        filled = text.replace('reason = ""', 'reason = "known"').replace('owner = ""', 'owner = "me"')
        Path("w.toml").write_text(filled, encoding="utf-8")
        second = pytester.runpytest_subprocess(*arguments, "--waivers", "w.toml")
    assert second.ret == 0, second.stdout.str()
    second.stdout.fnmatch_lines(["CONFORMANT WITH WAIVERS: *"])
