from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from local_dream_conformance import cli
from local_dream_conformance.core import contract
from local_dream_conformance.core.options import RUN_OPTIONS
from local_dream_conformance.core.settings import OPTIONS
from local_dream_conformance.report import requirements_page


def ask(*arguments: str) -> str:
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def shell(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from local_dream_conformance.cli import main; main(prog_name='local-dream')",
        *arguments,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_help_fits_a_screen_and_names_the_commands() -> None:
    shown = ask("--help")
    assert len(shown.splitlines()) <= 24
    for command in ("check", "mock", "spec"):
        assert f"\n  {command} " in shown


def test_the_help_of_check_explains_every_option_in_groups() -> None:
    shown = ask("check", "--help")
    for option in (*OPTIONS, *RUN_OPTIONS):
        assert f"  {option.flag} " in shown
    titles = [line for line in shown.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles[:-1] == [f"{title}:" for title in cli.HELP_GROUPS]
    assert titles[-1].startswith("Reports (")
    assert "..." not in shown.partition("\n")[2]
    assert len(shown.splitlines()) <= 72
    assert max(map(len, shown.splitlines())) <= 100


def test_no_setting_is_taken_for_a_report() -> None:
    grouped = {name for names in cli.HELP_GROUPS.values() for name in names}
    assert {option.name for option in OPTIONS} <= grouped


@pytest.mark.parametrize("command", ["spec", "compare", "har"])
def test_the_help_of_a_small_command_fits_a_screen(command: str) -> None:
    lines = ask(command, "--help").splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100


def completions(*words: str) -> list[str]:
    """What a bash would offer for the last word."""
    environment = {"_LOCAL_DREAM_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words)}
    environment["COMP_CWORD"] = str(len(words) - 1)
    result = CliRunner().invoke(cli.main, [], env=environment, prog_name="local-dream")
    return [line.partition(",")[2] for line in result.output.splitlines()]


def test_shells_complete_commands_and_options() -> None:
    assert completions("local-dream", "co") == ["compare"]
    assert completions("local-dream", "check", "--rep") == ["--replay"]
    assert completions("local-dream", "spec", "--res") == ["--result-schema"]
    assert "--replay" not in completions("local-dream", "check", "")


def test_spec_prints_the_schema_of_results() -> None:
    schema = json.loads(ask("spec", "--result-schema"))
    assert schema["$id"] == "urn:local-dream-conformance:result:1"
    Draft202012Validator.check_schema(schema)


def test_a_command_that_does_not_exist() -> None:
    result = CliRunner().invoke(cli.main, ["chekc"])
    assert result.exit_code == 2
    assert "No such command 'chekc'" in result.output


def test_spec_prints_the_file_as_it_is() -> None:
    assert ask("spec") == contract.text()


def test_spec_lists_requirements_one_a_line() -> None:
    lines = ask("spec", "--requirements", "--profile", "core").splitlines()
    assert [line.split()[0] for line in lines] == [r.id for r in contract.load().in_profile("core")]


def test_spec_shows_one_requirement_whole() -> None:
    shown = ask("spec", "hlt-01")
    requirement = contract.load().by_id["HLT-01"]
    assert requirement.text in " ".join(shown.split())
    assert "HLT-01: MUST, core" in shown


def test_spec_as_json() -> None:
    everything = json.loads(ask("spec", "--json"))
    assert [entry["id"] for entry in everything] == [r.id for r in contract.load().requirements]
    assert json.loads(ask("spec", "HLT-01", "--json"))["operation"] == "GET /health"


def test_spec_as_a_page() -> None:
    assert ask("spec", "--page") == requirements_page.page(contract.load())


def test_an_unknown_requirement_is_one_line() -> None:
    result = CliRunner().invoke(cli.main, ["spec", "GEN-XXX-99"])
    assert result.exit_code == 2
    assert "Error: the contract has no requirement GEN-XXX-99;" in result.output


def test_every_command_of_the_entry_points_loads() -> None:
    context = click.Context(cli.main)
    assert isinstance(cli.main, cli.Commands)
    for name in cli.main.list_commands(context):
        assert cli.main.get_command(context, name) is not None


def test_check_needs_a_target(tmp_path: Path) -> None:
    result = shell("check", folder=tmp_path)
    assert result.returncode == 2
    assert "Error: which server? Give its URL, such as http://127.0.0.1:8081" in result.stderr


def test_check_is_the_pytest_run_and_untouched_by_the_folder(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not to be imported')\n")
    result = shell("check", "http://127.0.0.1:9", "--collect-only", "-q", "-k", "HLT-01", folder=tmp_path)
    assert result.returncode == 7, result.stdout + result.stderr
    assert result.stdout.splitlines()[0].endswith("health.py::HLT-01")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conftest.py", "pytest.ini"]


@pytest.mark.parametrize("arguments", [("--plan",), ("http://127.0.0.1:9", "--plan")])
def test_check_takes_its_target_and_settings_from_the_file(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.local-dream]\ntarget = "http://127.0.0.1:9"\nbudget = "generate=0"\n'
    )
    result = shell("check", *arguments, folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "local-dream: target http://127.0.0.1:9, profile core" in result.stdout
    assert "over budget" in result.stdout
    assert "warning" not in result.stdout


def test_wrong_options_are_one_line(tmp_path: Path) -> None:
    result = shell("check", "http://127.0.0.1:9", "--profile", "x", folder=tmp_path)
    assert result.returncode == 4
    assert result.stderr.strip() == "ERROR: --profile: 'x': give one of core, hardened, all"
