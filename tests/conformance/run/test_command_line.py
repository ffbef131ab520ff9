"""Manners in other people's pytest: their options, conftest files and packages stay theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_dream_conformance.core.options import RUN_OPTIONS, TARGET
from local_dream_conformance.core.settings import OPTIONS
from tests.conformance.judging import QUICK, Evaluator
from tests.conformance.tiny_server import TinyServer
from tests.conformance.tls import authority
from tests.ports import free_port

pytest_plugins = ["pytester"]

ALL = (TARGET, *OPTIONS, *RUN_OPTIONS)
FREE = [option.name for option in ALL if option.name != "strict"]
"""Without the name that pytest itself has."""


@pytest.fixture(autouse=True)
def _as_installed(judge: Evaluator) -> None:
    """The environment of `judge`: nothing of this run's own."""


def with_options(pytester: pytest.Pytester, *names: str) -> None:
    """A conftest file that adds these options, and a test that says what they are."""
    lines = "\n    ".join(f'parser.addoption("--{name}", dest="{name}", default="none")' for name in names)
    pytester.makeconftest(f"def pytest_addoption(parser):\n    {lines}\n")
    pytester.makepyfile(
        f"def test_values(request):\n    print(*(getattr(request.config.option, name) for name in {list(names)}))"
    )


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess(*QUICK, "-s", *arguments)


def test_a_project_that_adds_all_of_our_options_runs(pytester: pytest.Pytester) -> None:
    with_options(pytester, *FREE)
    result = run(pytester)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("target", ["staging", "https://staging.example", "mock"])
def test_a_project_gets_the_values_of_its_own_options(pytester: pytest.Pytester, target: str) -> None:
    with_options(pytester, "target", "seed", "record", "replay")
    result = run(pytester, "--target", target, "--seed=3", "--record", "all", "--replay", "tape")
    result.assert_outcomes(passed=1)
    assert f"{target} 3 all tape" in result.stdout.str()


def test_a_project_with_an_option_of_our_name_can_judge_by_the_long_names(
    pytester: pytest.Pytester, server: TinyServer
) -> None:
    with_options(pytester, "target", "size")
    judging = ("-p", "tests.conformance.tiny_suite", "--local-dream-target", server.url)
    result = run(pytester, *judging, "--local-dream-profile=hardened", "--local-dream-plan")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["local-dream: target http://127.0.0.1:*, profile hardened, *", "  total *"])


def test_an_installed_plugin_keeps_its_option(pytester: pytest.Pytester, server: TinyServer) -> None:
    pytester.makepyfile(theirs='def pytest_addoption(parser):\n    parser.addoption("--seed", default="none")\n')
    result = pytester.runpytest_subprocess(
        *QUICK, "-p", "theirs", "-p", "tests.conformance.tiny_suite", "--target", server.url, "--seed", "x", "--plan"
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(["local-dream: target http://127.0.0.1:*"])


@pytest.mark.parametrize("where", ["file", "environment", "equals"])
def test_the_target_is_found_wherever_arguments_come_from(
    judge: Evaluator, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    words = "--target=http://127.0.0.1:9 --plan --profile hardened --strict"
    if where == "file":
        pytester.makeini(f"[pytest]\naddopts = {words}")
    elif where == "environment":
        monkeypatch.setenv("PYTEST_ADDOPTS", words)
    result = judge(None, "-p", "local_dream", *(words.split() if where == "equals" else ()))
    assert result.ret == (0 if where == "equals" else 7)  # what asks for no run must stand on the command line
    result.stdout.fnmatch_lines(["local-dream: target http://127.0.0.1:9, profile hardened, *", "  total *"])


def test_every_option_is_taken_by_its_short_name(judge: Evaluator, tmp_path: Path) -> None:
    values = {
        "profile": "core",
        "size": "64x64",
        "steps": "4",
        "upscaler-path": "x",
        "idle-timeout": "9",
        "total-timeout": "9",
        "header": "A: b",
        "budget": "generate=0",
        "seed": "7",
        "max-duration": "10min",
        "known": "local-dream-2.7",
        "extension": "cors",
        "control-url": "http://127.0.0.1:8808",
        "field": "model_id=1",
        "relaunch": "./server --port 8081",
        "cacert": str(authority(tmp_path).certificate),
        "badge": str(tmp_path / "b.svg"),
        "record": str(tmp_path / "kept"),
        **{name: str(tmp_path / name) for name in ("json-report", "html-report", "markdown-report", "write-waivers")},
    }
    (tmp_path / "waivers.toml").write_text("")
    values["waivers"] = str(tmp_path / "waivers.toml")
    words = [word for o in ALL[1:] if o.name != "replay" for word in (o.flag, *([values[o.name]] if o.metavar else []))]
    result = judge("http://127.0.0.1:9", *words)
    assert result.ret == 0, result.stderr.str()
    result.stdout.fnmatch_lines(["  total *"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "localhost:8081"), "ERROR: --target: 'localhost:8081': give the server's address as http://*"),
        (("--target", "http://127.0.0.1:9", "--sise", "64x64"), "*unrecognized arguments: --sise*"),
        (("--local-dream-target", "http://127.0.0.1:9", "--local-dream-sise=1"), "*unrecognized arguments: *sise*"),
        (("--target",), "*argument --target*: expected one argument"),
        (("--replay", "no-such-folder"), "ERROR: --replay: *"),
    ],
)
def test_a_mistyped_option_gets_an_error_that_names_it(
    pytester: pytest.Pytester, arguments: tuple[str, ...], said: str
) -> None:
    result = pytester.runpytest_subprocess(*QUICK, *arguments)
    assert result.ret == 4
    result.stderr.fnmatch_lines([said])


def test_help_lists_every_option_with_both_names(pytester: pytest.Pytester) -> None:
    told = pytester.runpytest_subprocess(*QUICK, "--help").stdout.str()
    missing = [name for name in FREE if f"--{name}" not in told or f"--local-dream-{name}" not in told]
    assert missing == []


def test_help_leaves_out_the_short_names_that_a_conftest_has(pytester: pytest.Pytester) -> None:
    with_options(pytester, "size")
    result = pytester.runpytest_subprocess(*QUICK, "--help")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  --local-dream-size=WxH"])


@pytest.mark.parametrize("name", ["conformance", "mockserver", "reference_engine"])
def test_a_project_may_have_a_package_of_any_name(pytester: pytest.Pytester, name: str) -> None:
    pytester.makeconftest("")
    pytester.mkpydir(name).joinpath("__init__.py").write_text("LIMIT = 3\n")
    pytester.mkdir("tests").joinpath("test_limit.py").write_text(
        f"from {name} import LIMIT\n\n\ndef test_limit(local_dream_mock):\n    assert LIMIT == 3\n"
    )
    run(pytester).assert_outcomes(passed=1)
    as_module = pytester.run(sys.executable, "-m", "pytest", *QUICK)
    assert as_module.ret == 0


def test_a_run_that_is_not_ours_imports_next_to_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_light():
            ours = {name for name in sys.modules if name.startswith("local_dream_")}
            print(sorted(ours))
            assert ours <= {
                "local_dream_conformance", "local_dream_conformance.run", "local_dream_conformance.run.plugin",
                "local_dream_conformance.run.command_line", "local_dream_conformance.run.hooks",
                "local_dream_mockserver", "local_dream_mockserver.mock", "local_dream_mockserver.mock.pytest_plugin",
            }
            assert not {"httpx", "yaml", "numpy", "jsonschema", "starlette", "hypothesis"} & sys.modules.keys()
        """
    )
    run(pytester).assert_outcomes(passed=1)


def test_check_loads_no_plugins_that_libraries_bring_along(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-X", "importtime", "-m", "local_dream_conformance", "check", url]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 6, done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")}
    assert "local_dream_conformance.run.session" in imported
    assert not {"anyio.pytest_plugin", "_hypothesis_pytestplugin", "hypothesis"} & imported
