"""The configuration file of a run: `[tool.local-dream]` in pyproject.toml, or `[local-dream]` in an ini file."""

from __future__ import annotations

import configparser
import tomllib
from pathlib import Path
from typing import Any

from local_dream_conformance.core.errors import BadSetting

INI_FILES = ("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")


def find(folder: Path) -> tuple[dict[str, Any], str]:
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
