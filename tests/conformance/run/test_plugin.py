"""The pytest plugin as people use it: pytest in a process of its own, a real server on a real port."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.judging import QUICK, ROOT, Evaluator
from tests.conformance.results import result_of
from tests.conformance.tiny_server import TinyServer
from tests.ports import free_port

pytest_plugins = ["pytester"]

CORE = ["TINY-GEN-01", "TINY-GEN-02", "TINY-GEN-03", "TINY-GEN-04", "TINY-GEN-05", "TINY-UPS-01", "TINY-HLT-01"]


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    return {requirement["id"]: requirement["verdict"] for requirement in result["requirements"]}


def test_judges_a_server_from_an_empty_folder(judge: Evaluator, server: TinyServer, pytester: pytest.Pytester) -> None:
    result = judge(server, "-v", "-p", "no:cacheprovider")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "local-dream: target http://127.0.0.1:*, profile core, contract 0.1",
            "plan: 7 requirements, 2 scenarios, costing the target 1 generation",
            "tiny_suite.py::TINY-GEN-01 PASSED*",
            "tiny_suite.py::TINY-UPS-01 NOT-APPLICABLE*",
            "*= Local Dream contract 0.1 =*",
            "          MUST              SHOULD  MAY",
            "generate  3 pass            1 pass  1 pass",
            "upscale   1 not-applicable",
            "health    1 pass",
            "not-applicable (no --upscaler-path): TINY-UPS-01",
            "cannot be judged from outside: TINY-GEN-06",
            "cost: 1 generation (planned 1 generation), 2 requests, *",
            "CONFORMANT: http://127.0.0.1:* (profile core, contract 0.1): 6 requirements hold",
            "*= 6 passed, 1 not-applicable in *",
        ],
        consecutive=False,
    )
    assert server.asked == ["GET /health", "GET /health", "POST /generate"]
    assert {path.name for path in pytester.path.iterdir()} <= {
        "stdout",
        "stderr",
        "runpytest-0",
        "runpytest-current",
    }  # pytester


def test_selection_by_id_makes_only_the_probes_that_it_needs(judge: Evaluator, server: TinyServer) -> None:
    result = judge(server, "-k", "TINY-UPS-01", "--upscaler-path", "x")
    assert result.ret == 0
    assert server.asked == ["GET /health", "POST /upscale"]
    result.stdout.fnmatch_lines(
        ["left out by -k 'TINY-UPS-01': 6 requirements", "CONFORMANT IN PART: *judged on 1 requirement only"]
    )


def test_selection_includes_what_must_hold_first(judge: Evaluator, server: TinyServer) -> None:
    server.words = b"blue"
    result = judge(server, "-k", "TINY-GEN-02")
    result.stdout.fnmatch_lines(["blocked (TINY-GEN-01 does not hold): TINY-GEN-02", "INCONCLUSIVE: *"])
    assert result.ret == 7


@pytest.mark.parametrize("arguments", [("--collect-only",), ("--plan",), ("--plan", "-n", "2"), ("-k", "no-such-id")])
def test_asks_nothing_without_judging(judge: Evaluator, server: TinyServer, arguments: tuple[str, ...]) -> None:
    result = judge(server, *arguments)
    assert server.asked == []
    assert result.ret == (5 if "-k" in arguments else 7 if "--collect-only" in arguments else 0)


def test_collect_only_lists_the_requirements(judge: Evaluator) -> None:
    result = judge("http://127.0.0.1:9", "--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == [f"tiny_suite.py::{id}" for id in CORE]


def test_plan_shows_probes_costs_and_total(judge: Evaluator) -> None:
    result = judge("http://127.0.0.1:9", "--plan", "--profile", "hardened", "--budget", "generate=1")
    result.stdout.fnmatch_lines(
        [
            "  health             nothing",
            "  base               1 generation",
            "  upscale            not made: no --upscaler-path",
            "  more               not made: the scenario more (2 generations) is over budget",
            "  total              1 generation",
        ]
    )


def test_xdist_asks_no_more_than_the_plan(judge: Evaluator, server: TinyServer, tmp_path: Path) -> None:
    report, junit = tmp_path / "result.json", tmp_path / "junit.xml"
    server.words = b"good neat words"
    arguments = ("--profile", "all", "--upscaler-path", "x", f"--json-report={report}", f"--junitxml={junit}")
    result = judge(server, "-n", "2", *arguments)
    assert result.ret == 1
    asked = ["GET /health", "GET /health", "POST /upscale", "POST /generate", "POST /generate", "POST /generate"]
    assert server.asked == asked
    judged = verdicts(result_of(report))
    assert judged == {
        **dict.fromkeys((*CORE, "TINY-GEN-07", "TINY-UPS-02"), "pass"),
        "TINY-GEN-02": "fail",
        "TINY-GEN-05": "not-applicable",
    }
    assert result_of(report)["spent"] == {"generations": 3, "upscales": 1}
    properties = {
        case.attrib["name"]: {p.attrib["name"]: p.attrib["value"] for p in case.iter("property")}
        for case in ElementTree.parse(junit).iter("testcase")
    }
    assert properties["TINY-GEN-07"] == {
        "id": "TINY-GEN-07",
        "level": "SHOULD",
        "profile": "hardened",
        "verdict": "pass",
    }
    assert {name: values["verdict"] for name, values in properties.items()} == judged
    result.stdout.fnmatch_lines(["*expected  the word blue*", "NOT CONFORMANT: *"])


def test_failure_says_what_where_why_and_how_to_see_it(judge: Evaluator, server: TinyServer) -> None:
    server.words = b"\x1b[2Jgood \x9b31m token: s3cret-token\n::error::blue\xe2\x80\xae"
    server.words = server.words.replace(b"good", b"bad")
    result = judge(server, "--header", "Authorization: Bearer s3cret-token")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "TINY-GEN-01 (MUST, core): Base MUST be good.",
            "  expected  the word good",
            "  got       *bad*",
            "  where     base: byte 0",
            "  cause     the word was forgotten",
            "  try       curl * -H 'Authorization: [*][*][*]' * --data-binary @/*/base.json http://127.0.0.1:*/generate",
            "NOT CONFORMANT: *: broken: 1 MUST and 1 SHOULD",
        ]
    )
    text = result.stdout.str()
    assert "s3cret-token" not in text + result.stderr.str()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert not any(line.lstrip().startswith("::error") for line in text.splitlines())
    saved = re.search(r"--data-binary @(\S+)", text)
    assert saved
    assert json.loads(Path(saved[1]).read_bytes())["prompt"] == "a cat"
    assert server.tokens[-1] == "Bearer s3cret-token"


def test_a_broken_should_warns_and_fails_when_strict(judge: Evaluator, server: TinyServer) -> None:
    server.words = b"good blue"
    relaxed = judge(server)
    assert relaxed.ret == 0
    relaxed.stdout.fnmatch_lines(
        ["  expected  the word neat", "CONFORMANT: * 1 SHOULD broken", "* 4 passed, 1 warned, *"]
    )
    strict = judge(server, "--strict")
    assert strict.ret == 1
    strict.stdout.fnmatch_lines(["NOT CONFORMANT: *: broken: 1 SHOULD"])


def test_over_budget_is_untested_and_inconclusive(judge: Evaluator, server: TinyServer) -> None:
    result = judge(server, "--budget", "generate=0,upscale=0")
    assert result.ret == 7
    assert "POST /generate" not in server.asked
    result.stdout.fnmatch_lines(
        [
            "untested (the scenario base (1 generation) is over budget): TINY-GEN-01, *",
            "INCONCLUSIVE: *: 3 MUST not judged",
        ]
    )


def test_a_run_that_judged_nothing_is_not_green(judge: Evaluator, server: TinyServer) -> None:
    result = judge(server, "-k", "TINY-UPS-01")
    assert result.ret == 7
    result.stdout.fnmatch_lines(["INCONCLUSIVE: *: nothing was judged*"])


@pytest.mark.parametrize(
    ("fault", "words"), [("TINY_VACUOUS", "asserted nothing"), ("TINY_BASE_RAISES", "the base scenario is broken")]
)
def test_faults_of_the_suite_are_errors(
    judge: Evaluator, server: TinyServer, monkeypatch: pytest.MonkeyPatch, fault: str, words: str
) -> None:
    monkeypatch.setenv(fault, "1")
    result = judge(server)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["The suite itself is at fault here, not the server:", f"  *{words}*", "SUITE ERROR: *"]
    )


def test_stopping_at_the_first_failure_leaves_the_rest_untested(
    judge: Evaluator, server: TinyServer, tmp_path: Path
) -> None:
    server.words = b"bad"
    result = judge(server, "-x", f"--json-report={tmp_path / 'result.json'}")
    assert result.ret == 1
    judged = verdicts(result_of(tmp_path / "result.json"))
    assert judged["TINY-GEN-01"] == "fail"
    assert {judged[id] for id in CORE[1:]} == {"untested"}


def test_json_report_holds_the_whole_run(judge: Evaluator, server: TinyServer, tmp_path: Path) -> None:
    server.words = b"good neat song"
    judge(server, "--header", "Authorization: Bearer s3cret-token", f"--json-report={tmp_path / 'result.json'}")
    text = (tmp_path / "result.json").read_text(encoding="utf-8")
    result = json.loads(text)
    assert "s3cret" not in text
    assert result["outcome"] == "not-conformant"
    assert result["exit_code"] == 1
    assert result["settings"]["headers"] == ["Authorization: ***"]
    assert result["plan"]["cost"] == {"generations": 1, "upscales": 0}
    states = {scenario["name"]: scenario["state"] for scenario in result["plan"]["probes"]}
    assert states == {"health": "made", "base": "made", "upscale": "unavailable"}
    assert [exchange["label"] for exchange in result["exchanges"]] == ["health", "base"]
    assert set(result["curl"]) == {"base"}
    assert result["unjudged"] == [{"id": "TINY-GEN-06", "text": "Nobody sees this.", "reason": "it cannot be seen"}]
    failed = next(requirement for requirement in result["requirements"] if requirement["id"] == "TINY-GEN-02")
    assert failed["findings"][0]["expected"] == "the word blue"
    assert failed["evidence"] == ["base"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--size", "100x100"), "ERROR: --size: '100x100': give WIDTHxHEIGHT*"),
        (
            ("--json-report", "/dev/null/r.json"),
            "ERROR: --json-report: '/dev/null/r.json': its folder cannot be made: *",
        ),
        (("./tests",), "ERROR: ./tests: there are no conformance checks, and nothing of http://*"),
        (("--header", "s3cret"), "ERROR: --header: give NAME:VALUE*"),
    ],
)
def test_a_bad_option_is_one_line_and_exit_4(
    judge: Evaluator, server: TinyServer, arguments: tuple[str, ...], line: str
) -> None:
    result = judge(server, *arguments)
    assert result.ret == 4
    assert [shown for shown in result.errlines if shown.strip()] == [result.errlines[0]]
    result.stderr.fnmatch_lines([line])
    assert "s3cret" not in result.stderr.str()
    assert server.asked == []


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_an_unreachable_target_is_one_line_and_exit_6(
    judge: Evaluator, workers: tuple[str, ...], tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = judge(url, *workers, f"--json-report={tmp_path / 'result.json'}")
    assert result.ret == 6
    result.stdout.fnmatch_lines([f"UNREACHABLE: nothing answers at {url} (*); start the server there, or check *"])
    assert result_of(tmp_path / "result.json")["outcome"] == "unreachable"


def test_settings_come_from_file_and_environment(
    judge: Evaluator, server: TinyServer, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyprojecttoml('[tool.local-dream]\nprofile = "hardened"\nupscaler-path = "x"\n')
    monkeypatch.setenv("LOCAL_DREAM_BUDGET", "upscale=0")
    result = judge(server, "--plan", "--budget", "generate=0")
    result.stdout.fnmatch_lines(["*profile hardened*", "  upscale            1 upscale", "  base *is over budget"])


def test_own_tests_are_not_touched(judge: Evaluator, server: TinyServer, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_own="""
        import sys
        def test_light():
            assert "local_dream_conformance.run.plugin" in sys.modules
            assert "local_dream_conformance.run.session" not in sys.modules and "httpx" not in sys.modules
        """
    )
    plain = pytester.runpytest_subprocess(*QUICK)
    plain.assert_outcomes(passed=1)
    pytester.makepyfile(test_own="def test_own(): pass")


def test_the_checks_need_a_target(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(*QUICK, str(ROOT / "conformance" / "local_dream_conformance" / "checks"))
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: the conformance checks judge a server: say which one with --target URL"])


def test_the_shipped_suite_is_collected_whole_by_path_and_by_bare_name(pytester: pytest.Pytester) -> None:
    def collected(*arguments: str) -> list[str]:
        target = ("--target", "http://127.0.0.1:9", "--collect-only", "-q")
        result = pytester.runpytest_subprocess(*QUICK, *target, *arguments)
        assert result.ret == 7
        return [line for line in result.outlines if "::" in line]

    whole = collected()
    health = [id for id in whole if id.startswith("health.py::")]
    assert "health.py::HLT-01" in health
    assert health != whole
    assert collected("health.py::HLT-01") == ["health.py::HLT-01"]
    by_path = collected(str(ROOT / "conformance" / "local_dream_conformance" / "checks" / "health.py"))
    assert by_path == health
