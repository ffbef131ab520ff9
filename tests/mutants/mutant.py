"""A mutant: one small change of one example server's source."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.examples.servers import EXAMPLES

CATALOGUE = Path(__file__).parent / "catalogue"
LEGAL, GAP = "legal", "gap"
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

    `round` counts the times that mutants were written. Those of the second and later were written, with what they
    break, before the suite had seen them; `first` is what it made of one then ("" where that is what it makes of it
    now), and `note` what was found out about the expectation afterwards, which itself stays as it was.
    """

    name: str
    server: str
    does: str
    search: str
    replace: str
    breaks: frozenset[str] | str
    also: tuple[tuple[str, str], ...] = ()
    step_ms: int = STEP_MS
    why: str = ""
    round: int = 1
    first: str = ""
    note: str = ""

    def change(self, source: str, text: str) -> str:
        """The text of a source, changed where this mutant changes it."""
        for search, replace in ((self.search, self.replace), *self.also):
            text = text.replace(search, replace)
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
    """All mutants by name. The files of the catalogue are named after their servers."""
    found: dict[str, Mutant] = {}
    for server in EXAMPLES:
        with (CATALOGUE / f"{server}.toml").open("rb") as file:
            entries = tomllib.load(file)
        for name, entry in entries.items():
            breaks, also = entry.pop("breaks"), tuple((one, other) for one, other in entry.pop("also", ()))
            kind = breaks if isinstance(breaks, str) else frozenset(breaks)
            found[f"{server}/{name}"] = Mutant(f"{server}/{name}", server, breaks=kind, also=also, **entry)
    return found
