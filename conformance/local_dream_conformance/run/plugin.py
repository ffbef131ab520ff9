"""pytest plugin: `pytest --target URL` judges a server. Light at import: every pytest run here loads it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local_dream_conformance.run import command_line
from local_dream_conformance.run.command_line import CommandLine

if TYPE_CHECKING:
    from local_dream_conformance.run.suite import Suite

CHECKS = Path(__file__).resolve().parents[1] / "checks"
PACKAGE = "local_dream_conformance.checks"


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from local_dream_conformance.run import hooks

    pluginmanager.add_hookspecs(hooks)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Iterator[None]:
    """Adds our options where they are meant, and keeps the collection at the checks: without this pytest would also
    collect all folders above them."""
    line = CommandLine(early_config, parser, args)
    if line.mentions_us():
        line.add_before_conftests()
    known = early_config.known_args_namespace
    if (
        _judges(known)
        and not line.conftests.name_a_suite
        and all(_is_check(early_config, a) for a in command_line.own(early_config).file_or_dir)
    ):
        known.confcutdir = str(CHECKS)
    yield
    line.add_after_conftests()


def _judges(options: argparse.Namespace) -> bool:
    """Whether a server is to be judged, or a recording. Where nothing on the command line is ours, no option is."""
    return any(getattr(options, name, None) is not None for name in ("local_dream_target", "local_dream_replay"))


def _is_check(config: pytest.Config, argument: str) -> bool:
    return CHECKS in (place := _place(config, argument)).parents or place == CHECKS


def _place(config: pytest.Config, argument: str) -> Path:
    """The path that a command line argument names. A bare file name of a check, as reports show it, will do too."""
    path = (config.invocation_params.dir / argument.partition("::")[0]).resolve()
    return path if path.exists() or "/" in argument.partition("::")[0] else CHECKS / argument.partition("::")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    target: str | None = getattr(config.option, "local_dream_target", None)
    replayed: str | None = getattr(config.option, "local_dream_replay", None)
    if target is not None and replayed is not None:
        raise pytest.UsageError("--replay judges a recording and asks no server: leave --target out")
    explicit = config.args_source is pytest.Config.ArgsSource.ARGS
    if target is None and replayed is None:
        if explicit and any(_is_check(config, argument) for argument in config.args):
            raise pytest.UsageError("the conformance checks judge a server: say which one with --target URL")
        return
    if config.option.local_dream_plan:
        config.option.dist, config.option.tx = "no", []  # one process is enough to print

    from local_dream_conformance.core.errors import BadSetting
    from local_dream_conformance.run import setup
    from local_dream_conformance.run.session import ConformanceSession

    try:
        session = ConformanceSession(config, setup.make(config, target, given(config), os.environ))
    except BadSetting as error:
        raise pytest.UsageError(str(error)) from None
    config.args[:] = _places(config, session.suite.folder) or [str(session.suite.folder)]
    config.pluginmanager.register(session, "local_dream_conductor")


def _places(config: pytest.Config, folder: Path) -> list[str]:
    """The arguments from which pytest collects, none where only a configuration has some: they are not for us.

    Raises UsageError where the command line names places that have none of the checks, which lie in `folder`.
    """
    own = command_line.own(config).file_or_dir
    if not own:
        return []
    named = [_named(config, argument) for argument in config.args]
    reached = [_place(config, argument) for argument in own]
    if any(path == folder or path in folder.parents or folder in path.parents for path in reached):
        return named
    if config.option.pyargs and any(name.startswith(PACKAGE) for name in own):
        return named
    judged = config.option.local_dream_target or config.option.local_dream_replay
    raise pytest.UsageError(
        f"{' '.join(own)}: there are no conformance checks, and nothing of {judged} would be judged; leave it out, or "
        "run your own tests alone"
    )


def _named(config: pytest.Config, argument: str) -> str:
    """An argument with the path that it names written out."""
    if not _is_check(config, argument):
        return argument
    return "::".join((str(_place(config, argument)), *argument.split("::")[1:]))


def given(config: pytest.Config) -> dict[str, Any]:
    """The settings that the command line has, by option name."""
    from local_dream_conformance.core.settings import OPTIONS

    found = {option.name: value for option in OPTIONS if (value := getattr(config.option, option.dest)) is not None}
    if getattr(config.option, "strict", None) is True:  # pytest's own --strict, which took the name first
        found["strict"] = True
    return found


@pytest.hookimpl(trylast=True)
def pytest_local_dream_suite() -> Suite:
    from local_dream_conformance.run import suite

    return suite.load()
