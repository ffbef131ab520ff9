"""Where settings come from.

The command line wins over the environment (`LOCAL_DREAM_SIZE` for `--size`), which wins over the file (`size` under
`[tool.local-dream]` in pyproject.toml, or under `[local-dream]` in pytest.ini, tox.ini, setup.cfg).
"""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.extension import CONTROL, Declared
from local_dream_conformance.core.options import Option
from local_dream_conformance.core.settings import OPTION_OF, OPTIONS, Settings

INI_FILES = ("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
NAMES = ("target", *(option.name for option in OPTIONS))


def address(target: str) -> str:
    """The server's address as `--target` gives it. Raises BadSetting."""
    return str(_parsed("--target", lambda text: Address.parse(text).url, target))


def resolve(
    url: str, given: Mapping[str, Any], environment: Mapping[str, str], file: Mapping[str, Any], origin: str
) -> Settings:
    """Settings for the server at `url` from the three sources.

    `given` holds what the command line has, by option name; `file` what the configuration file has, and `origin`
    names that file in messages. Raises BadSetting.
    """
    values: dict[str, Any] = {"url": url}
    for name, option in OPTION_OF.items():
        if option.name in given:
            values[name] = _from_command_line(option, given[option.name])
        elif environment.get(option.variable, "") != "":
            values[name] = _from_text(option, option.variable, environment[option.variable])
        elif option.name in file:
            value = file[option.name]
            if option.file and isinstance(value, str):
                value = str(Path(origin).parent / value)
            values[name] = _from_file(option, f"{option.name} in {origin}", value)
    for name in file:
        if name not in NAMES:
            raise BadSetting(f"{name!r} in {origin} is no setting; there are {', '.join(NAMES)}")
    _expect_control(values)
    return Settings(**values)


def _expect_control(values: dict[str, Any]) -> None:
    """Who says where the control API is has said that it is there. Raises BadSetting for the contrary."""
    declared = values.get("extensions", ())
    named = any(extension.name == CONTROL for extension in declared)
    if values.get("control_url") is None and named:
        raise BadSetting("--extension control: give --control-url, the address of the control API, too")
    if values.get("control_url") is not None and not named:
        values["extensions"] = (*declared, Declared(CONTROL))


def _from_command_line(option: Option, value: Any) -> Any:
    if option.is_switch:
        return option.means
    if option.many:
        return tuple(_parsed(option.flag, option.parse, text, option.secret) for text in value)
    return _parsed(option.flag, option.parse, str(value), option.secret)


def _from_text(option: Option, where: str, text: str) -> Any:
    parts = [line for line in text.splitlines() if line.strip()] if option.many else [text]
    parsed = tuple(_parsed(where, option.parse, part.strip(), option.secret) for part in parts)
    return _meant(option, parsed if option.many else parsed[0])


def _from_file(option: Option, where: str, value: Any) -> Any:
    if option.many and isinstance(value, list):
        return tuple(_parsed(where, option.parse, str(part), option.secret) for part in value)
    if isinstance(value, bool):
        if not option.is_switch:
            raise BadSetting(f"{where}: {str(value).lower()} cannot be used")
        return _meant(option, value)
    if not isinstance(value, str | int | float):
        raise BadSetting(f"{where}: give a text or a number, not a {type(value).__name__}")
    return _from_text(option, where, str(value))


def _meant(option: Option, value: Any) -> Any:
    """`no-img2img = false` means that there is img2img."""
    return value == option.means if option.is_switch else value


def _parsed(where: str, parse: Callable[[str], Any], text: str, secret: bool = False) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        shown = "" if secret else f" {text!r}:"
        raise BadSetting(f"{where}:{shown} {error}") from None


def find_file(folder: Path) -> tuple[dict[str, Any], str]:
    """The settings of the nearest folder, upwards from `folder`, that has some; and the path of their file.

    Both are empty where there is none. Raises BadSetting for a file that has our section but cannot be read.
    """
    for place in (folder, *folder.parents):
        for path in (place / "pyproject.toml", *(place / name for name in INI_FILES)):
            values = _read(path)
            if values is not None:
                return values, str(path)
    return {}, ""


def _read(path: Path) -> dict[str, Any] | None:
    """The settings in one file, or None where it has none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if "local-dream" not in text:
        return None
    try:
        values = _toml(text) if path.suffix == ".toml" else _ini(text)
    except (tomllib.TOMLDecodeError, configparser.Error) as error:
        raise BadSetting(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    if values is not None and not isinstance(values, dict):
        raise BadSetting(f"[tool.local-dream] in {path} must be a table")
    return values


def _toml(text: str) -> Any:
    return tomllib.loads(text).get("tool", {}).get("local-dream")


def _ini(text: str) -> dict[str, Any] | None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return dict(parser["local-dream"]) if parser.has_section("local-dream") else None
