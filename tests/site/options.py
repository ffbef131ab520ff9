"""The page of options: each of the suite, the mock, the reference, the proxy and the client, with its default and its
name in the environment, read from the tables that the commands themselves use.
"""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points

import click

from local_dream_conformance.core.options import RUN_OPTIONS, TARGET, Option
from local_dream_conformance.core.settings import Settings

COMMANDS = {
    "mock": "The mock server",
    "serve": "The reference server",
    "proxy": "Bad wires",
    "generate": "One picture",
    "upscale": "One enlargement",
    "compare": "Two results",
    "report": "Reports of a kept result",
}
"""Subcommands of local-dream that have a table, with its title."""


CODE = re.compile(r"`([^`]*)`")


def page() -> str:
    """The page, as Markdown."""
    lines = [
        "# Options",
        "",
        "## The suite",
        "",
        "`local-dream check URL` and `pytest --target URL` take the same. A setting may also stand in the environment, "
        "or under `[tool.local-dream]` in `pyproject.toml`, by the option's name; the command line wins over the "
        "environment, which wins over the file.",
        "",
        *_table(_settings(), "option", "what it does", "default", "environment"),
        "",
        "### Of one run",
        "",
        "These are given on the command line alone.",
        "",
        *_table(([_flag(option), _help(option)] for option in RUN_OPTIONS), "option", "what it does"),
    ]
    for name, title in COMMANDS.items():
        rows = list(command_rows(name))
        environment = any(row[-1] for row in rows)
        lines += ["", f"## {title}: `local-dream {name}`", ""]
        heads = ("option", "what it does", "default", *(("environment",) if environment else ()))
        lines += _table((row[: len(heads)] for row in rows), *heads)
    return "\n".join((*lines, ""))


def _settings() -> Iterator[list[str]]:
    yield [_flag(TARGET), _help(TARGET), "", f"`{TARGET.variable}`"]
    for field in dataclasses.fields(Settings):
        if (option := field.metadata.get("option")) is not None:
            yield [_flag(option), _help(option), default_of(option, field.default), f"`{option.variable}`"]


def default_of(option: Option, default: object) -> str:
    """A setting's default as a reader would write it; "" where its absence is told by the sentence."""
    if option.is_switch:
        return "off" if default is not option.means else "on"
    if default is None or default == ():
        return "none"
    shown = option.shown(default)
    return f"`{shown:g}`" if isinstance(shown, float) else f"`{shown}`" if isinstance(shown, str | int) else "none"


def _flag(option: Option) -> str:
    return f"`{f'{option.flag} {option.metavar}'.strip()}`"


def _help(option: Option) -> str:
    return f"{option.help}; may be given more than once" if option.many else option.help


def command_rows(name: str) -> Iterator[list[str]]:
    """Option, sentence, default and variable of each option of a subcommand."""
    (entry,) = entry_points(group="local_dream.commands", name=name)
    command: click.Command = entry.load()
    context = click.Context(command, info_name=name)
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            record = option.get_help_record(context)
            assert record is not None
            variables = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
            sentence = record[1].partition("  [")[0]
            yield [f"`{record[0]}`", sentence, _default(option), ", ".join(f"`{one}`" for one in variables)]


def _default(option: click.Option) -> str:
    value = option.default
    if option.is_flag:
        return "on" if value is True else "off"
    if option.multiple or value is None or callable(value) or not isinstance(value, str | int | float):
        return "none"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _table(rows: Iterable[list[str]], *heads: str) -> list[str]:
    cells = [[CODE.sub(_code, cell).replace("|", "&#124;") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (list(heads), ["---"] * len(heads), *cells)]


def _code(span: re.Match[str]) -> str:
    """Code with a bar in it, in HTML: there is no way to write it in the Markdown of a table that all viewers share."""
    return f"<code>{html.escape(span[1], quote=False)}</code>" if "|" in span[1] else span[0]
