"""The options that say how a server is reached: the same as those of a run of the suite, by the same table."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.settings import OPTION_OF, Settings

REACHING = ("headers", "cacert", "insecure", "idle_timeout", "total_timeout")
Command = TypeVar("Command", bound=Callable[..., Any])


def server_options() -> Callable[[Command], Command]:
    """Gives a command the options of REACHING; `settings_of` reads them."""

    def decorate(command: Command) -> Command:
        for name in reversed(REACHING):
            option = OPTION_OF[name]
            kinds: dict[str, Any] = {"is_flag": True} if option.is_switch else {"metavar": option.metavar}
            kinds |= {"multiple": True} if option.many else {}
            command = click.option(option.flag, _argument(name), help=option.help, **kinds)(command)
        return command

    return decorate


def settings_of(url: str, given: dict[str, Any]) -> Settings:
    """Takes what `server_options` read out of `given`. The environment has what the command line leaves out, as
    LOCAL_DREAM_HEADER. Raises click.UsageError."""
    wanted = [OPTION_OF[name] for name in REACHING]
    values = {OPTION_OF[name].name: given.pop(_argument(name)) for name in REACHING}
    told = {name: value for name, value in values.items() if value not in (None, False, ())}
    environment = {one.variable: os.environ[one.variable] for one in wanted if one.variable in os.environ}
    try:
        return settings_sources.resolve(settings_sources.address(url), told, environment, {}, "")
    except BadSetting as error:
        raise click.UsageError(str(error).removeprefix("--target: ").removeprefix("--target ")) from None


def _argument(name: str) -> str:
    """No field of a request is called so."""
    return f"server_{name}"
