"""pytest plugin: `pytest --target URL` judges a server. Light at import: every pytest run here loads it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.options import RUN_OPTIONS, Option
from local_dream_conformance.core.settings import OPTIONS

if TYPE_CHECKING:
    from local_dream_conformance.run.suite import Suite

CHECKS = Path(__file__).resolve().parents[1] / "checks"


@pytest.hookimpl(trylast=True)
def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("local-dream", "Local Dream conformance (with --target)")
    _add(
        group,
        "target",
        dest="local_dream_target",
        metavar="URL",
        help="judge the server at this address, such as http://127.0.0.1:8081; or 'mock' to start our own and judge it",
    )
    for option in (*OPTIONS, *RUN_OPTIONS):
        _add(group, option.name, dest=option.dest, help=option.help.replace("%", "%%"), **_kind(option))


def _kind(option: Option) -> dict[str, Any]:
    if option.is_switch:
        return {"action": "store_true", "default": None}
    if option.many:
        return {"action": "append", "metavar": option.metavar}
    return {"metavar": option.metavar}


def _add(group: Any, name: str, **attributes: Any) -> None:
    """Adds --NAME, or only --local-dream-NAME where pytest or another plugin has taken the short name."""
    try:
        group.addoption(f"--{name}", f"--local-dream-{name}", **attributes)
    except (argparse.ArgumentError, ValueError):
        group.addoption(f"--local-dream-{name}", **attributes)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from local_dream_conformance.run import hooks

    pluginmanager.add_hookspecs(hooks)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Keeps the collection at the checks: without this pytest would also collect all folders above them."""
    known = early_config.known_args_namespace
    judges = known.local_dream_target is not None or known.local_dream_replay is not None
    if judges and all(_is_check(early_config, arg) for arg in known.file_or_dir):
        known.confcutdir = str(CHECKS)


def _is_check(config: pytest.Config, argument: str) -> bool:
    return CHECKS in (place := _place(config, argument)).parents or place == CHECKS


def _place(config: pytest.Config, argument: str) -> Path:
    """The path that a command line argument names. A bare file name of a check, as reports show it, will do too."""
    path = (config.invocation_params.dir / argument.partition("::")[0]).resolve()
    return path if path.exists() or "/" in argument.partition("::")[0] else CHECKS / argument.partition("::")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    target = config.option.local_dream_target
    replayed = config.option.local_dream_replay
    if target is not None and replayed is not None:
        raise pytest.UsageError("--replay judges a recording and asks no server: leave --target out")
    explicit = config.args_source is pytest.Config.ArgsSource.ARGS
    if target is None and replayed is None:
        if explicit and any(_is_check(config, argument) for argument in config.args):
            raise pytest.UsageError("the conformance checks judge a server: say which one with --target URL")
        return
    if explicit:
        config.args[:] = [_named(config, argument) for argument in config.args]
    else:
        config.args[:] = [str(CHECKS)]
    if config.option.local_dream_plan:
        config.option.dist, config.option.tx = "no", []  # one process is enough to print

    from local_dream_conformance.run import setup
    from local_dream_conformance.run.session import ConformanceSession

    try:
        session = ConformanceSession(config, setup.make(config, target, given(config), os.environ))
        config.pluginmanager.register(session, "local_dream_conductor")
    except BadSetting as error:
        raise pytest.UsageError(str(error)) from None


def _named(config: pytest.Config, argument: str) -> str:
    """An argument with the path that it names written out."""
    if not _is_check(config, argument):
        return argument
    return "::".join((str(_place(config, argument)), *argument.split("::")[1:]))


def given(config: pytest.Config) -> dict[str, Any]:
    """The settings that the command line has, by option name."""
    found = {option.name: value for option in OPTIONS if (value := getattr(config.option, option.dest)) is not None}
    if getattr(config.option, "strict", None) is True:  # pytest's own --strict, which took the name first
        found["strict"] = True
    return found


@pytest.hookimpl(trylast=True)
def pytest_local_dream_suite() -> Suite:
    from local_dream_conformance.run import suite

    return suite.load()
