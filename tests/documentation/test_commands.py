"""Every command of the README and of docs/ runs, in order, in a fresh folder; what cannot is told in not_run.py."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
import yaml

from local_dream_conformance.core.options import RUN_OPTIONS
from local_dream_conformance.core.settings import OPTIONS
from tests.documentation import given
from tests.documentation.blocks import CONSOLE, PROGRAMS, ROOT, SHOWN, Block, Command, all_blocks, pages
from tests.documentation.environment import ORIGIN, Environment
from tests.documentation.not_run import NOT_RUN, WORKFLOWS, reason
from tests.documentation.reader import Reader, unseen

BLOCKS = all_blocks()
COMMANDS = [command for block in BLOCKS if block.language in CONSOLE for command in block.commands()]
PAGES = list(dict.fromkeys(block.page for block in BLOCKS if block.language in (*CONSOLE, *PROGRAMS)))
PAGES.remove("docs/install.md")  # test_install.py runs its lines, each in an environment of its own
PAGES.remove("docs/cluster.md")  # test_cluster.py runs it, on machines that it makes
LEFT_OUT = [command for command in COMMANDS if reason(command)]
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FLAGS = {option.flag for option in (*OPTIONS, *RUN_OPTIONS)}
HEAVY = re.compile(r"pip install .*\[reference|local-dream serve(?! --no-generate)")
"""What needs torch."""


def lacking(command: Command) -> bool:
    """Whether this machine lacks what a command needs. CI has it all."""
    there = all(importlib.util.find_spec(module) for module in ("torch", "diffusers"))
    return bool(HEAVY.match(command.text)) and not there and not os.environ.get("CI")


def install(reader: Reader, page: str, installed: set[str]) -> None:
    """What the reader of a page has done that does not say it, unless another page has said it before."""
    runs = [command for command in COMMANDS if command.page == page and not reason(command)]
    for line in given.INSTALLED:
        command = Command(page, 0, line)
        wanted = not HEAVY.match(line) or any(HEAVY.match(one.text) for one in runs)
        if wanted and line not in installed and not lacking(command):
            reader.type(command)
            installed.add(line)


@pytest.mark.parametrize("page", PAGES)
def test_a_reader_gets_what_the_page_says(
    page: str, environment: Environment, the_clone: Path, installed: set[str], tmp_path: Path
) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    mine = [block for block in BLOCKS if block.page == page]
    given.lay(folder, mine)
    own = given.SERVERS.get(page, given.OWN)
    with Reader(folder, environment.variables, the_clone, own) as reader:
        if not any(block.text.startswith("$ pip install") for block in mine):
            install(reader, page, installed)
        for line in given.BEFOREHAND.get(page, ()):
            reader.type(Command(page, 0, line))
        for block in mine:
            if block.language in PROGRAMS:
                program = folder / f"test_line_{block.line}.py"
                program.write_text(block.text, encoding="utf-8")
                runner = "pytest -q -p no:cacheprovider" if "def test_" in block.text else "python"
                reader.type(Command(page, block.line, f"{runner} {program.name}"))
            elif block.language in CONSOLE:
                for command in block.commands():
                    line = command.text.partition(" #")[0].strip()
                    if reason(command) or lacking(command) or line in installed:
                        continue
                    reader.type(command)
                    if line.startswith("pip install"):
                        installed.add(line)
    assert environment.where("local_dream_conformance").is_relative_to(environment.folder)


def test_the_workflow_that_a_command_writes_calls_this_repository(
    environment: Environment, the_clone: Path, tmp_path: Path
) -> None:
    (command,) = [one for one in COMMANDS if one.text.startswith("sed ")]
    for address in (ORIGIN, "git@github.com:somebody/local-dream-conformance"):
        subprocess.run(["git", "remote", "set-url", "origin", address], cwd=the_clone, check=True)
        with Reader(tmp_path, environment.variables, the_clone) as reader:
            reader.type(command)
        written = yaml.safe_load((the_clone / "conformance.yml").read_text(encoding="utf-8"))
        (call,) = [step for step in written["jobs"]["conformance"]["steps"] if step.get("id") == "conformance"]
        assert re.fullmatch(r"somebody/local-dream-conformance@[0-9a-f]{40}", call["uses"])


def test_every_block_is_run_or_is_read_by_a_test() -> None:
    known = {*CONSOLE, *PROGRAMS, *SHOWN}
    assert [block for block in BLOCKS if block.language not in known] == []
    others = [block for block in BLOCKS if block.language in SHOWN and block.language != "http"]
    assert [block for block in others if block.page not in READ[block.language]] == []


READ = {"text": ("docs/start/server.md",), "toml": ("docs/waivers.md",), "yaml": WORKFLOWS}
"""Pages whose blocks of a language the tests here and given.py read."""


def test_nothing_stands_in_the_table_in_vain() -> None:
    for entry in NOT_RUN:
        assert [command for command in COMMANDS if entry.covers(command)], entry
    assert len(LEFT_OUT) < len(COMMANDS) / 3


@pytest.mark.parametrize("command", LEFT_OUT, ids=lambda command: command.place)
def test_what_is_not_run_is_sound_all_the_same(command: Command) -> None:
    assert subprocess.run(["bash", "-n", "-c", command.text], check=False).returncode == 0
    words = shlex.split(command.text, comments=True)
    if words[0] == "local-dream":
        parsed(words[1:])
    if words[0] == "pip":
        from_pip = subprocess.run([sys.executable, "-m", *words, "--help"], check=False, capture_output=True)
        assert from_pip.returncode == 0
    if words[0] == "make":
        subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True, capture_output=True)


def parsed(words: list[str]) -> None:
    """Raises click.UsageError where a subcommand does not know these options."""
    (entry,) = entry_points(group="local_dream.commands", name=words[0])
    loaded: click.Command = entry.load()
    context = click.Context(loaded, info_name=words[0])
    loaded.make_parser(context).parse_args(list(words[1:]))


def spans() -> list[Command]:
    """The commands of this project that stand within sentences and tables."""
    return [
        Command(page, text.count("\n", 0, span.start()) + 1, span[1].replace("\\|", "|"))
        for page, text in pages().items()
        for span in SPAN.finditer(text)
        if re.match(r"(local-dream [a-z]|pytest --target )", span[1])
    ]


@pytest.mark.parametrize("command", spans(), ids=lambda command: command.place)
def test_a_command_in_a_sentence_has_a_name_and_options_that_there_are(command: Command) -> None:
    words = shlex.split(command.text.replace("...", ""), comments=True)
    if words[0] == "local-dream":
        (entry,) = entry_points(group="local_dream.commands", name=words[1])
        known = {flag for option in entry.load().params for flag in (*option.opts, *option.secondary_opts)}
    if words[0] == "pytest" or words[1] == "check":
        known = FLAGS | {"--target", "--junitxml", "-k", "-n", "-v"}
    given_flags = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert given_flags <= known | {"--help"}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "text"], ids=lambda block: block.page)
def test_a_finding_that_a_page_shows_is_one(
    block: Block, environment: Environment, the_clone: Path, installed: set[str], tmp_path: Path
) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    id = block.text.split()[0]
    judge = f"pytest --target http://127.0.0.1:8081 -p no:cacheprovider -k {id} > said || [ $? = 1 ]"
    with Reader(folder, environment.variables, the_clone, given.SERVERS[f"{block.page}#text"]) as reader:
        install(reader, block.page, installed)
        reader.type(Command(block.page, block.line, judge))
    said = (folder / "said").read_text(encoding="utf-8")
    assert not unseen(tuple(line for line in block.text.splitlines() if line.strip()), said), said


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "yaml"], ids=lambda block: block.page)
def test_steps_of_a_workflow_call_the_action_as_it_is(block: Block) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = yaml.safe_load(block.text)
    (call,) = [step for step in steps if step.get("id") == "conformance"]
    assert call["with"].keys() <= action["inputs"].keys()
    assert set(re.findall(r"steps\.conformance\.outputs\.([a-z]+)", block.text)) <= action["outputs"].keys()
    for step in steps:
        assert subprocess.run(["bash", "-n", "-c", step.get("run", "")], check=False).returncode == 0
