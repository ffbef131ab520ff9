"""What the matrix expects of a fault or a quirk beside what the catalogue says of it: `expectations.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("expectations.toml")
TABLES = {"pace", "options", "consequences"}
Option = str | bool | tuple[str, ...]


@dataclass(frozen=True)
class Expectation:
    """Of one entry of the catalogue.

    `consequences` are requirements that may be found broken because of it. `options` are settings of the suite, by
    their names on its command line. `pace` is in seconds per step, 0 where any will do.
    """

    consequences: tuple[str, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)
    pace: float = 0.0


def load_expectations(path: Path = PATH) -> dict[str, Expectation]:
    """By the name of the entry; those of which nothing more is expected are left out.

    Raises ValueError for a table that there is not.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    if unknown := tables.keys() - TABLES:
        raise ValueError(f"{path.name}: no such table: {', '.join(sorted(unknown))}")
    names = sorted({name for table in tables.values() for name in table})
    return {
        name: Expectation(
            tuple(tables.get("consequences", {}).get(name, ())),
            {key: _option(value) for key, value in tables.get("options", {}).get(name, {}).items()},
            float(tables.get("pace", {}).get(name, 0.0)),
        )
        for name in names
    }


def expected_of(name: str) -> Expectation:
    """Of an entry, or of anything else (of which nothing is expected)."""
    return _loaded().get(name, Expectation())


@cache
def _loaded() -> dict[str, Expectation]:
    return load_expectations()


def _option(value: str | bool | list[str]) -> Option:
    return tuple(value) if isinstance(value, list) else value
