from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from typing import Any

import pytest

from local_dream_conformance.core import contract
from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.errors import ReportRefused
from local_dream_conformance.core.verdict import ENDED, Finding, Verdict
from local_dream_conformance.report import badge
from local_dream_conformance.report.view_model import ViewModel
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.result import Replayed, ScenarioLine
from tests.conformance.report import results
from tests.conformance.report.results import judged, result

FOUND = [Finding("this", "that")]


@pytest.mark.parametrize(
    ("lines", "settings", "message", "colour"),
    [
        ([judged("HLT-02")], {}, "core only: conformant", "brightgreen"),
        ([judged("ERR-01", Verdict.WAIVED, "known", FOUND)], {}, "core only: conformant with 1 waiver", "green"),
        ([judged("GEN-EVT-16", Verdict.WARN, "", FOUND)], {}, "core only: conformant, 1 SHOULD broken", "orange"),
        ([judged("ERR-01", Verdict.FAIL, "", FOUND)], {}, "core only: not conformant", "red"),
        ([judged("ERR-01", Verdict.BLOCKED, "HLT-01")], {}, "core only: inconclusive", "lightgrey"),
        ([], {"profile": "hardened"}, "core + hardened: conformant", "brightgreen"),
        (
            [judged("ERR-01", Verdict.FAIL, "", FOUND), judged("ERR-02", Verdict.WAIVED, "known", FOUND)],
            {},
            "core only: not conformant with 1 waiver",
            "red",
        ),
        (
            [],
            {"profile": "all", "img2img": False, "fields": (("model_id", "x"),)},
            "core + hardened + extensions: conformant, without img2img, with the field model_id",
            "brightgreen",
        ),
    ],
)
def test_names_contract_profile_verdict_and_waivers(
    lines: list[RequirementResult], settings: dict[str, Any], message: str, colour: str
) -> None:
    document = result(judged("HLT-01"), *lines, settings=settings)
    assert json.loads(badge.text(ViewModel(document))) == {
        "schemaVersion": 1,
        "label": "Local Dream contract 1.0",
        "message": message,
        "color": colour,
    }


def test_the_picture_says_the_same_and_is_xml() -> None:
    picture = ElementTree.fromstring(badge.svg(ViewModel(results.passing())))
    said = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert said == ["Local Dream contract 1.0", "core only: conformant"]
    assert picture.get("aria-label") == ": ".join(text or "" for text in said)


def test_a_missing_upscaler_is_named() -> None:
    document = result(judged("HLT-01"), settings={"upscaler_path": None})
    assert badge.endpoint(ViewModel(document))["message"] == "core only: conformant, without upscale"


def _over_budget() -> Sequence[ScenarioLine]:
    return (ScenarioLine("base", Cost(1), "made"), ScenarioLine("edges", Cost(2), "over-budget", "over budget"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"deselected": contract.load().requirements[:2], "selection": "-k 'GEN'"},
            "-k 'GEN' left out 2 requirements of the profile core",
        ),
        ({"scenarios": _over_budget()}, "the budget left out the scenario edges"),
        ({"replayed": Replayed("", "0.1.0", "1.0", False)}, "the run judged a recording, not a running server"),
        ({"problem": "nothing answers"}, "the run ended as unreachable"),
    ],
)
def test_refused_for_less_than_a_whole_run(changes: dict[str, Any], words: str) -> None:
    document = ViewModel(result(judged("HLT-01"), **changes))
    for make in (badge.text, badge.svg):
        with pytest.raises(ReportRefused) as caught:
            make(document)
        assert str(caught.value) == f"{words}; a badge needs a whole run against a server"


@pytest.mark.parametrize(
    ("verdict", "reason", "words"),
    [(Verdict.UNTESTED, ENDED, "ended before everything was judged"), (Verdict.ERROR, "it raised", "as suite error")],
)
def test_refused_for_a_run_that_broke_off(verdict: Verdict, reason: str, words: str) -> None:
    with pytest.raises(ReportRefused, match=words):
        badge.text(ViewModel(result(judged("HLT-01"), judged("HLT-02", verdict, reason))))


def test_not_refused_where_only_a_destructive_check_was_left_out() -> None:
    lines = judged("HLT-01"), judged("UPS-REQ-13", Verdict.UNTESTED, "asked only with --destructive")
    assert badge.endpoint(ViewModel(result(*lines)))["color"] == "brightgreen"
