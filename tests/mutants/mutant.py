"""A mutant: one small change of one example server's source."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.examples.servers import EXAMPLES

CATALOGUE = Path(__file__).parent / "catalogue"
MECHANICAL = CATALOGUE / "mechanical"
LEGAL, GAP, SAME, DEAD, UNREAD = "legal", "gap", "same", "dead", "unread"
STEP_MS = 10
"""Long enough that progress and its end are apart, and that a client can hang up in between."""


class DoesNotFit(Exception):
    """The text to replace is not in the source exactly once: the server has changed since."""


@dataclass(frozen=True)
class Mutant:
    """`search` stands once in one source of the example `server`, and is replaced.

    `breaks` has the ids of the requirements that the bug breaks, any of which may tell of it; or is LEGAL (the contract
    allows it), or GAP (any client would call it broken, and the contract does not say so). A step of the server takes
    `step_ms`, without which some bugs could not be seen. `why` says of one that is not caught why it stays so.

    One that a tool made has the line of code that it changes (`at`) and the file of the tool's rules in place of what
    it `does`. Nobody knew what it breaks before it was tried: it is UNREAD, and stays that where what is judged broken
    points to the right place. All others were read: SAME are those in which no client can see a difference, DEAD those
    that never listen, or never say that they run.

    `round` counts the times that mutants were written. Those of the second and later were written, with what they
    break, before the suite had seen them; `first` is what it made of one then ("" where that is what it makes of it
    now), and `note` what was found out about the expectation afterwards. That itself stays as it was: where the
    contract has come to say more, it moves to `written`.
    """

    name: str
    server: str
    search: str
    replace: str
    breaks: frozenset[str] | str
    does: str = ""
    at: str = ""
    rules: str = ""
    also: tuple[tuple[str, str], ...] = ()
    step_ms: int = STEP_MS
    why: str = ""
    round: int = 1
    first: str = ""
    note: str = ""
    written: str = ""

    def as_written(self) -> Mutant:
        """With what it was written to break."""
        return replace(self, breaks=self.written or self.breaks)

    def change(self, source: str, text: str) -> str:
        """The text of a source, changed where this mutant changes it."""
        for old, new in ((self.search, self.replace), *self.also):
            text = text.replace(old, new)
        return text

    def check_fit(self) -> None:
        """Raises DoesNotFit."""
        example = EXAMPLES[self.server]
        texts = [(example.folder / source).read_text(encoding="utf-8") for source in example.sources]
        for search in (self.search, *(search for search, _ in self.also)):
            if (found := sum(text.count(search) for text in texts)) != 1:
                raise DoesNotFit(f"{self.name}: {found} places have {search!r}")


@cache
def mutants() -> Mapping[str, Mutant]:
    """All hand-made mutants by name. The files of the catalogue are named after their servers."""
    return _read(CATALOGUE)


@cache
def mechanical() -> Mapping[str, Mutant]:
    """All mutants that a tool made (see tests/mutants/draw.py) by name."""
    return _read(MECHANICAL)


def entries(path: Path) -> dict[str, dict[str, Any]]:
    """What a file of the catalogue has, by the names that mutants have there."""
    with path.open("rb") as file:
        return tomllib.load(file)


def _read(folder: Path) -> dict[str, Mutant]:
    found: dict[str, Mutant] = {}
    for server in EXAMPLES:
        for name, entry in entries(folder / f"{server}.toml").items():
            breaks = entry.pop("breaks", UNREAD)
            also = tuple((one, other) for one, other in entry.pop("also", ()))
            kind = breaks if isinstance(breaks, str) else frozenset(breaks)
            found[f"{server}/{name}"] = Mutant(f"{server}/{name}", server, breaks=kind, also=also, **entry)
    return found
