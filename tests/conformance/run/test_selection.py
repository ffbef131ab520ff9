"""No green by absence: whoever keeps a run from judging, and however, its exit status is not 0 unless it is the user on
the command line who leaves requirements out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.core.settings import Settings
from local_dream_conformance.run import selection, suite
from tests.conformance.judging import QUICK, Evaluator
from tests.conformance.tiny_server import TinyServer

pytest_plugins = ["pytester"]

DROPPED = "def pytest_collection_modifyitems(items): items[:] = items[:-1]"
DESELECTED = """
def pytest_collection_modifyitems(config, items):
    config.hook.pytest_deselected(items=[items.pop()])
"""
SKIPPED = """
import pytest
def pytest_collection_modifyitems(items):
    items[2].add_marker(pytest.mark.skip)
"""
NEVER_RUN = """
def pytest_runtest_protocol(item):
    return item.name == "TINY-GEN-03" or None
"""
NO_LOOP = """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    return True
"""
INTERRUPTED = "def pytest_runtest_protocol(item): raise KeyboardInterrupt"
STOPPED = "def pytest_runtest_teardown(item): item.session.shouldstop = 'enough'"
LEFT_OUT = "INCONCLUSIVE: *: * left out by PYTEST_ADDOPTS, a configuration file, a conftest.py or a plugin?*"
ENDED = "INCONCLUSIVE: *: 1 requirement not judged: the run ended before it was judged"


@pytest.mark.parametrize(
    ("hooks", "status", "line"),
    [
        (DROPPED, 7, LEFT_OUT),
        (DESELECTED, 7, LEFT_OUT),
        (SKIPPED, 7, ENDED),
        (NEVER_RUN, 7, ENDED),
        (NO_LOOP, 7, "INCONCLUSIVE: *: 5 MUST not judged"),
        (INTERRUPTED, 2, "INCONCLUSIVE: *"),
        (STOPPED, 2, "INCONCLUSIVE: *"),
    ],
)
def test_somebody_elses_hooks(
    judge: Evaluator, server: TinyServer, pytester: pytest.Pytester, hooks: str, status: int, line: str
) -> None:
    pytester.makepyfile(hooks=hooks)
    result = judge(server, "-p", "hooks", "--json-report", "r.json")
    assert result.ret == status, result.stdout.str()
    result.stdout.fnmatch_lines([line])
    if Path("r.json").exists():
        assert json.loads(Path("r.json").read_text())["outcome"] == "inconclusive"


def test_a_hook_cannot_make_what_fails_pass(judge: Evaluator, server: TinyServer, pytester: pytest.Pytester) -> None:
    server.words = b"blue words"
    pytester.makepyfile(
        hooks="""
        import pytest
        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_makereport(item, call):
            outcome = yield
            outcome.get_result().outcome = "passed"
        """
    )
    assert judge(server, "-p", "hooks").ret == 1


@pytest.mark.parametrize(
    ("options", "status"),
    [("-k HLT", 7), ("--co", 7), ("--plan", 7), ("-m unit", 5), ("--deselect tiny_suite.py::TINY-GEN-01", 7)],
)
@pytest.mark.parametrize("where", ["file", "environment"])
def test_options_that_nobody_gave_on_the_command_line(
    judge: Evaluator,
    server: TinyServer,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    options: str,
    status: int,
) -> None:
    if where == "file":
        pytester.makeini(f"[pytest]\naddopts = {options}")
    else:
        monkeypatch.setenv("PYTEST_ADDOPTS", options)
    assert judge(server).ret == status


@pytest.mark.parametrize(
    "arguments",
    [("-k", "HLT"), ("-kHLT",), ("--deselect", "tiny_suite.py::TINY-GEN-01"), ("-m", "not slow", "-k", "GEN")],
)
def test_the_users_own_selection_is_judged_and_said(
    judge: Evaluator, server: TinyServer, arguments: tuple[str, ...]
) -> None:
    result = judge(server, *arguments, "--json-report", "r.json")
    assert result.ret == 0, result.stdout.str()
    written: dict[str, Any] = json.loads(Path("r.json").read_text())
    assert written["deselected"]
    result.stdout.fnmatch_lines([f"left out by {written['selection']}: *", "CONFORMANT IN PART: *judged on * only"])


@pytest.mark.parametrize("program", ["pytest", "check"])
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_paths_of_ones_own_tests(pytester: pytest.Pytester, program: str, workers: tuple[str, ...]) -> None:
    pytester.makepyfile(test_own="def test_own(): pass")
    if program == "pytest":
        result = pytester.runpytest_subprocess(*QUICK, "--target", "http://127.0.0.1:9", "test_own.py", *workers)
    else:
        code = "import sys; from local_dream_conformance.cli import main; main(sys.argv[1:])"
        words = ("check", "http://127.0.0.1:9", "test_own.py", *workers)
        result = pytester.run(sys.executable, "-c", code, *words)
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [
            "ERROR: test_own.py: there are no conformance checks, and nothing of http://127.0.0.1:9 would be judged; "
            "leave it out, or run your own tests alone"
        ]
    )


def test_paths_in_a_configuration_are_not_for_us(
    judge: Evaluator, server: TinyServer, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(test_own="def test_own(): pass")
    pytester.makeini("[pytest]\naddopts = test_own.py")
    judge(server).assert_outcomes(passed=6)
    pytester.makeini("[pytest]\ntestpaths = test_own.py")
    judge(server).assert_outcomes(passed=6)
    monkeypatch.setenv("PYTEST_ADDOPTS", "test_own.py")
    judge(server).assert_outcomes(passed=6)


SHIPPED = suite.load()


@pytest.mark.parametrize(
    ("expression", "settings", "lines"),
    [
        ("GEN-SSE-02", {}, ["-k: GEN-SSE-02 is in profile hardened: add --profile hardened"]),
        ("gen-sse-02", {}, ["-k: GEN-SSE-02 is in profile hardened: add --profile hardened"]),
        ("GEN-SSE-01 or GEN-SSE-02", {}, ["-k: GEN-SSE-02 is in profile hardened: add --profile hardened"]),
        ("generate_sse and GEN-SSE-02", {}, ["-k: GEN-SSE-02 is in profile hardened: add --profile hardened"]),
        ("GEN-SSE-02", {"profile": "hardened"}, []),
        ("GEN-SSE", {}, []),
        ("not GEN-SSE-02", {}, []),
        ("EXT-COR-01", {}, ["-k: EXT-COR-01 is of the extension cors: add --extension cors, or --profile all"]),
        ("EXT-BSY-01", {"profile": "all"}, []),
        ("HTL-01", {}, ["-k: the contract has no requirement HTL-01; did you mean HLT-01*"]),
        ("not HTL-01", {}, []),
        ("XYZQ-77", {}, ["-k: the contract has no requirement XYZQ-77; *"]),
        ("EXT-CORS", {}, ["-k: the contract has no group EXT-CORS; did you mean EXT-COR *"]),
        ("ext-cors or GEN-SSE", {}, ["-k: the contract has no group ext-cors; did you mean EXT-COR *"]),
        ("GEN-QQQQQQ", {}, ["-k: the contract has no group GEN-QQQQQQ; `local-dream spec --requirements` lists all"]),
        ("not EXT-CORS", {}, []),
        ("two-words", {}, []),
        ("generate-sse", {}, []),
        ("nothing_at_all", {}, []),
        ("GEN-SSE-02 and", {}, []),
    ],
)
def test_ids_that_are_not_judged(expression: str, settings: dict[str, Any], lines: list[str]) -> None:
    found = selection.misnamed(expression, SHIPPED, Settings("http://h", **settings))
    assert len(found) == len(lines)
    for line, begins in zip(found, lines, strict=True):
        assert line.startswith(begins.rstrip("*"))


def test_the_ids_of_an_extension_are_told_together() -> None:
    (line,) = selection.misnamed("EXT-COR", SHIPPED, Settings("http://h"))
    assert line.startswith("-k: EXT-COR (EXT-COR-01 to EXT-COR-")


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_an_id_of_another_profile_ends_the_run_before_a_call(
    judge: Evaluator, server: TinyServer, workers: tuple[str, ...]
) -> None:
    result = judge(server, "-k", "TINY-GEN-01 or TINY-GEN-07", *workers)
    assert result.ret == 5
    result.stdout.fnmatch_lines(["-k: TINY-GEN-07 is in profile hardened: add --profile hardened"])
    assert server.asked == []
