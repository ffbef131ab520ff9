"""Our options on pytest's command line: added only where they are meant, and never in the way of anybody else's.

Every option has a long name, `--local-dream-target`, that is ours in every run. The short names (`--target`, `--seed`)
are ours in two cases only: where the suite is asked for, which a `--target URL` or a `--replay` does; and where they
were given although nobody else has them, so that they get our error or help. A conftest file that adds an option of
that name keeps it, and an installed plugin too. A run that mentions none of this imports nothing.
"""

from __future__ import annotations

import argparse
import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_dream_conformance.core.options import Option

LONG = "--local-dream-"
ASKING = ("--target", "--replay")
"""The short names that ask for the suite."""
NAMED = re.compile(r"""["'](--[a-z0-9-]+)["']""")
SUITE_HOOK = "def pytest_local_dream_suite"
_PARSER = pytest.StashKey[pytest.Parser]()


def own(config: pytest.Config) -> argparse.Namespace:
    """What the command line itself says, without what configuration files and PYTEST_ADDOPTS add to it."""
    return config.stash[_PARSER].parse_known_args(list(config.invocation_params.args))


@dataclass(frozen=True)
class Conftests:
    """What the conftest files say that pytest reads before it parses the command line."""

    text: str

    @cached_property
    def options(self) -> frozenset[str]:
        """Names of options that they seem to add."""
        return frozenset(NAMED.findall(self.text))

    @property
    def name_a_suite(self) -> bool:
        """Whether they have a suite of their own."""
        return SUITE_HOOK in self.text


class CommandLine:
    """The arguments of a run: those of its configuration, of PYTEST_ADDOPTS, and of the command line."""

    def __init__(self, config: pytest.Config, parser: pytest.Parser, arguments: Sequence[str]) -> None:
        self._config = config
        self._parser = parser
        self._arguments = arguments
        self._added: set[str] = set()
        config.stash[_PARSER] = parser

    @cached_property
    def conftests(self) -> Conftests:
        """Those of this run, unread where pytest does not read them either."""
        known = self._config.known_args_namespace
        files = () if known.noconftest else sorted(set(_conftest_files(self._config, known)))
        return Conftests("\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files))

    def mentions_us(self) -> bool:
        """Whether there is a word that is, or may be, for us. Costs nothing."""
        return any(word.startswith((LONG, *ASKING)) for word in self._arguments)

    def add_before_conftests(self) -> None:
        """Adds the long names, and the short ones too where they ask for the suite, but for those that a conftest file
        adds."""
        with_short = self._asks()
        for option in _options():
            is_theirs = f"--{option.name}" in self.conftests.options
            self._add(option, long=True, short=with_short and not is_theirs)
        # pytest has parsed the arguments without these options, and took their values for files
        known = self._parser.parse_known_args(self._arguments, namespace=copy.copy(self._config.option))
        known.confcutdir = self._config.known_args_namespace.confcutdir
        self._config.known_args_namespace = known

    def add_after_conftests(self) -> None:
        """Adds what was given, or is to be shown by --help, and nobody else has."""
        known, unknown = self._parser.parse_known_and_unknown_args(
            self._arguments, namespace=copy.copy(self._config.option)
        )
        given = {word.partition("=")[0] for word in unknown}
        if not (given or known.help):
            return
        for option in _options():
            short = known.help or f"--{option.name}" in given
            self._add(option, long=known.help or short, short=short)

    def _asks(self) -> bool:
        """Whether the suite is asked for by a short name."""
        theirs = self.conftests.options
        if "--replay" not in theirs and _values(self._arguments, "--replay"):
            return True
        if "--target" in theirs:
            return False
        return any(_is_target(value) for value in _values(self._arguments, "--target"))

    def _add(self, option: Option, *, long: bool, short: bool) -> None:
        """Adds an option under its names, as far as they are free and not added yet."""
        names = [f"--{option.name}"] * short + [LONG + option.name] * long
        names = [name for name in names if name not in self._added]
        if not names:
            return
        group = self._parser.getgroup("local-dream", "Local Dream conformance (with --target)")
        for tried in (names, names[1:]):
            try:
                if tried:
                    group.addoption(*tried, dest=option.dest, **_attributes(option))
            except (argparse.ArgumentError, ValueError):  # pytest or another plugin has the short name
                continue
            self._added.update(tried)
            return


def _options() -> Iterator[Option]:
    from local_dream_conformance.core.options import RUN_OPTIONS, TARGET
    from local_dream_conformance.core.settings import OPTIONS

    yield from (TARGET, *OPTIONS, *RUN_OPTIONS)


def _attributes(option: Option) -> dict[str, Any]:
    """An option as argparse takes it. A switch that is not given is None: the environment or a file may say it."""
    shown = {"help": option.help.replace("%", "%%")}
    if option.is_switch:
        return {**shown, "action": "store_true", "default": None}
    return {**shown, "metavar": option.metavar, "action": "append" if option.many else "store"}


def _is_target(text: str) -> bool:
    """Whether a value of --target is one of ours: an address, or the name of a server of our own."""
    from local_dream_conformance.run.server_process import SERVERS

    return text in SERVERS or text.lower().startswith(("http://", "https://"))


def _values(arguments: Sequence[str], name: str) -> list[str]:
    """The values that the option `name` is given, in both ways of writing them."""
    after = [value for word, value in pairwise(arguments) if word == name]
    return after + [word.partition("=")[2] for word in arguments if word.startswith(f"{name}=")]


def _conftest_files(config: pytest.Config, known: argparse.Namespace) -> Iterator[Path]:
    """The conftest files that pytest reads before it parses the command line, as it finds them."""
    start = config.invocation_params.dir
    named = known.file_or_dir or [str(path) for path in config.getini("testpaths")]
    places = [path for name in named if (path := start / str(name).partition("::")[0]).exists()] or [start]
    for place in places:
        folder = (place if place.is_dir() else place.parent).resolve()
        for below in (folder, *folder.parents, *folder.glob("test*")):
            if (file := below / "conftest.py").is_file():
                yield file
