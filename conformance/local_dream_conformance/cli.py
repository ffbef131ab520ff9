"""The command `local-dream`: its subcommands are found through the entry point group `local_dream.commands`."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from local_dream_conformance.core import contract, settings_sources
from local_dream_conformance.core.contract import BadContract, Requirement
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.options import PROFILES, RUN_OPTIONS
from local_dream_conformance.core.settings import OPTIONS
from local_dream_conformance.report import requirements_page
from local_dream_conformance.result import schema as schema
from local_dream_conformance.result.requirement_result import quoted
from local_dream_conformance.run import place, stdout

COMMANDS = "local_dream.commands"
SPEC_WIDTH = 78
WIDTH = 100
"""Columns that help uses where the terminal has them."""
STRANGERS = ("anyio", "hypothesispytest")
"""Plugins of pytest that libraries bring along, by their entry points: they have no part in a run, and take half a
second to import."""
HELP_GROUPS = {
    "What to judge": ("profile", "strict", "-k", "replay"),
    "What the server is like": (
        "size",
        "steps",
        "upscaler-path",
        "no-img2img",
        "extension",
        "control-url",
        "field",
        "header",
        "cacert",
        "insecure",
        "idle-timeout",
        "total-timeout",
    ),
    "What it may cost": ("plan", "budget", "max-duration", "destructive", "relaunch", "seed"),
    "What may be broken": ("waivers", "write-waivers", "known"),
    "What is kept": ("record", "redact-prompts"),
}
"""The options of a run in the groups in which help shows them; those in no group are of reports."""


class Commands(click.Group):
    """Subcommands that are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({entry.name for entry in entry_points(group=COMMANDS)})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        for entry in entry_points(group=COMMANDS, name=name):
            command = entry.load()
            assert isinstance(command, click.Command)
            return command
        return None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH})
@click.version_option(package_name="local-dream-conformance", prog_name="local-dream")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Judge, imitate and describe servers that speak the Local Dream image-generation API."""
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        ctx.color = False


class _Check(click.Command):
    """Shows and completes the options of the pytest plugin, which take effect there."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = super().shell_complete(ctx, incomplete)
        options = [option for option in (*OPTIONS, *RUN_OPTIONS) if option.flag.startswith(incomplete)]
        return found + [CompletionItem(option.flag, help=option.help) for option in options if incomplete[:1] == "-"]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {o.name: (f"{o.flag} {o.metavar}".strip(), o.help) for o in (*OPTIONS, *RUN_OPTIONS)}
        rows["-k"] = ("-k EXPRESSION", "only the requirements whose id matches, such as GEN-SSE or GEN-SSE-07")
        for title, names in HELP_GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(_brief([rows.pop(name) for name in names]))
        with formatter.section("Reports (`pytest --help` tells all options in full, pytest's own too)"):
            formatter.write_dl(_brief(list(rows.values())))


def _brief(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Options with the first thing that their help says, so that nearly each takes one line."""
    return [(option, re.split(r"[;:(]", told)[0].strip()) for option, told in rows]


@click.command(
    cls=_Check,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
    options_metavar="[OPTIONS]",
)
@click.argument("url", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def check(url: str | None, arguments: tuple[str, ...]) -> None:
    """Judge the server at URL, such as http://127.0.0.1:8081; 'mock' starts our own.

    The same run as `pytest --target URL`. Without URL the target comes from LOCAL_DREAM_TARGET or the configuration
    file. Exit status: 0 conformant, 1 not conformant or a fault of the suite, 2 wrong command line, 3 internal error,
    4 wrong options, 5 no such requirement, 6 unreachable, 7 inconclusive (not all could be judged).
    """
    words = list(arguments)
    if url is not None and url.startswith("-"):
        words.insert(0, url)
        url = None
    if any(word == "--replay" or word.startswith("--replay=") for word in words):
        if url is not None:
            raise click.UsageError("--replay judges a recording and asks no server: leave the URL out")
        sys.exit(_run(words))
    try:
        file, _ = settings_sources.find_file(Path.cwd())
    except BadSetting as error:
        raise click.UsageError(str(error)) from None
    target = url or os.environ.get("LOCAL_DREAM_TARGET") or file.get("target")
    if not isinstance(target, str) or not target:
        raise click.UsageError("which server? Give its URL, such as http://127.0.0.1:8081")
    sys.exit(_run(["--target", target, *words]))


def _run(words: list[str]) -> int:
    """The run of pytest, with these arguments. Answers its exit code."""
    import pytest

    stdout.open_what_is_closed()
    try:
        place.check()  # pytest writes there before it asks any plugin
    except BadSetting as error:
        click.echo(f"Error: {error}", err=True)
        return int(pytest.ExitCode.USAGE_ERROR)
    # The run must not depend on the pytest configuration and conftest files of the folder it is started from.
    alone = ["-c", str(Path(__file__).with_name("check.ini")), "--rootdir", str(Path.cwd())]
    alone += ["--noconftest", "-p", "no:cacheprovider"]
    for name in STRANGERS:
        alone += ["-p", f"no:{name}"]
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # this module was imported before pytest could look
    return int(pytest.main(["-p", "local_dream", *alone, *quiet, *words]))


@click.command()
@click.argument("id", required=False)
@click.option("--requirements", "listing", is_flag=True, help="List all requirements, one a line.")
@click.option("--profile", type=click.Choice(PROFILES), default="all", help="List only those of a profile.")
@click.option("--json", "as_json", is_flag=True, help="Requirements as JSON.")
@click.option("--page", is_flag=True, help="The requirements as a Markdown page (docs/requirements.md).")
@click.option("--result-schema", is_flag=True, help="The JSON Schema of what --json-report writes.")
def spec(id: str | None, listing: bool, profile: str, as_json: bool, page: bool, result_schema: bool) -> None:
    """Print the contract: the OpenAPI file, the list of requirements, or the one with this ID.

    \b
    local-dream spec                  the OpenAPI file
    local-dream spec --requirements   one line for each requirement
    local-dream spec GEN-SSE-07       one requirement, whole
    """
    if result_schema:
        click.echo(schema.text(), nl=False)
        return
    try:
        loaded = contract.load()
    except BadContract as error:
        raise click.ClickException(str(error)) from None
    requirements = loaded.in_profile(profile)
    if id is not None:
        found = loaded.by_id.get(id.upper())
        if found is None:
            raise click.UsageError(f"the contract has no requirement {id}; `local-dream spec --requirements` lists all")
        click.echo(json.dumps(asdict(found), indent=1) if as_json else _whole(found))
    elif as_json:
        click.echo(json.dumps([asdict(requirement) for requirement in requirements], indent=1))
    elif page:
        click.echo(requirements_page.page(loaded), nl=False)
    elif listing:
        for requirement in requirements:
            click.echo(f"{requirement.id:<11} {requirement.level:<6} {requirement.profile:<9} {requirement.text}")
    else:
        click.echo(loaded.source, nl=False)


def _whole(requirement: Requirement) -> str:
    lines = [
        f"{requirement.id}: {requirement.level}, {requirement.profile}, from {requirement.source}",
        f"binds {requirement.operation or 'the server'}, group {requirement.group}",
        "",
        _folded(requirement.text),
    ]
    if requirement.clause:
        lines += ["", _folded(f"Seed: {quoted(requirement.clause, requirement.translation)}")]
    if requirement.unjudged:
        lines += ["", _folded(f"Cannot be judged from outside: {requirement.unjudged}")]
    return "\n".join(lines)


def _folded(text: str) -> str:
    return textwrap.fill(text, SPEC_WIDTH, break_on_hyphens=False)


if __name__ == "__main__":
    main(prog_name="local-dream")
