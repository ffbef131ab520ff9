"""Runs of the plugin with extensions: at a server without any, with one declared, and over budget."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.core.extension import NAMES
from tests.conformance.judging import QUICK
from tests.conformance.scenarios.refusing_server import Asked, RefusingServer, refusing_server, valid_only

pytest_plugins = ["pytester"]

ASKED = "EXT or HLT-01 or GEN-SSE-01"


def plain_only(asked: Asked) -> int | None:
    return 404 if asked.path == "/tokenize" else valid_only(asked)


@pytest.fixture
def plain() -> Iterator[RefusingServer]:
    """A server without extensions."""
    state = RefusingServer(refuses=plain_only)
    with refusing_server(state):
        yield state


def judged(
    pytester: pytest.Pytester, server: RefusingServer, *arguments: str
) -> tuple[pytest.RunResult, dict[str, Any], dict[str, dict[str, Any]]]:
    """The run, its verdicts by id, and its extensions by name."""
    report = Path(pytester.path) / "result.json"
    words = (*QUICK, "--target", server.url, "--json-report", str(report), *arguments)
    result = pytester.runpytest_subprocess(*words)
    document = json.loads(report.read_text(encoding="utf-8"))
    verdicts = {line["id"]: line["verdict"] for line in document["requirements"]}
    return result, verdicts, {line["name"]: line for line in document["extensions"]}


def test_a_server_without_extensions_is_conformant(plain: RefusingServer, pytester: pytest.Pytester) -> None:
    result, verdicts, extensions = judged(pytester, plain, "--profile", "all", "-k", ASKED)
    assert result.ret == 0
    assert verdicts["HLT-01"] == verdicts["GEN-SSE-01"] == "pass"
    assert {verdict for id, verdict in verdicts.items() if id.startswith("EXT")} <= {"not-applicable", "untested"}
    assert set(extensions) == set(NAMES)
    assert extensions["tokenize"] == {
        "name": "tokenize",
        "state": "absent",
        "declared": False,
        "evidence": extensions["tokenize"]["evidence"],
        "id": "EXT-TOK-01",
    }
    assert "status 404" in extensions["tokenize"]["evidence"]
    absent = ("tokenize", "formats", "size", "aspect_ratio", "cors")
    assert {name: extensions[name]["state"] for name in absent} == dict.fromkeys(absent, "absent")
    assert extensions["schedulers"]["state"] == "unknown"
    assert "not declared" in extensions["schedulers"]["evidence"]
    result.stdout.fnmatch_lines(["extensions:", "  tokenize *absent: *status 404*", "CONFORMANT IN PART: *"])
    asked = [fields for fields in plain.generations() if {"output_format", "size", "aspect_ratio"} & fields.keys()]
    assert len(asked) == 3


def test_a_declared_extension_is_judged_in_every_profile(plain: RefusingServer, pytester: pytest.Pytester) -> None:
    result, verdicts, extensions = judged(pytester, plain, "--extension", "tokenize", "-k", "EXT or HLT-01")
    assert result.ret == 1
    assert {id: v for id, v in verdicts.items() if v == "fail"} == {"EXT-TOK-01": "fail"}
    assert {id for id in verdicts if id.startswith("EXT")} == {f"EXT-TOK-0{number}" for number in range(1, 7)}
    assert (extensions["tokenize"]["state"], extensions["tokenize"]["declared"]) == ("absent", True)
    result.stdout.fnmatch_lines(["*the extension tokenize, which --extension declares*"])


@pytest.mark.parametrize(("declared", "code"), [((), 0), (("--extension", "size"), 7)])
def test_over_budget_only_what_is_declared_makes_a_run_inconclusive(
    plain: RefusingServer, pytester: pytest.Pytester, declared: tuple[str, ...], code: int
) -> None:
    limited = ("--profile", "all", "--budget", "generate=0", "-k", "EXT-SIZ or HLT-01")
    result, _, extensions = judged(pytester, plain, *limited, *declared)
    assert result.ret == code
    assert extensions["size"]["state"] == "unknown"
    assert "over budget" in extensions["size"]["evidence"]


def test_the_plan_counts_declared_schedulers(plain: RefusingServer, pytester: pytest.Pytester) -> None:
    words = ("--extension", "schedulers=euler,lcm", "--plan", "-k", "EXT")
    result = pytester.runpytest_subprocess(*QUICK, "--target", plain.url, *words)
    result.stdout.fnmatch_lines(["  base *1 generation", "  schedulers *2 generations", "  total *3 generations"])
    assert plain.asked == []


def test_an_unknown_extension_is_refused(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(*QUICK, "--target", "http://127.0.0.1:9", "--extension", "sizes")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--extension: 'sizes': give one of formats, size, tokenize, *"])
