"""What is kept of trials: a JSON file to go on from, and a page for readers, one pair for each catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tests.mutants import mechanical_page, page
from tests.mutants.mutant import DEAD, Mutant, mechanical, mutants
from tests.mutants.trial import Outcome, Trial, outcome

DOCS = Path(__file__).resolve().parents[2] / "docs"

Mutants = Mapping[str, Mutant]
Trials = Mapping[str, Trial]


@dataclass(frozen=True)
class Documents:
    """The two files called `name` in the folder `docs`, on the mutants of one catalogue."""

    name: str
    catalogue: Callable[[], Mutants]
    page: Callable[[Mutants, Trials], str]
    docs: Path = DOCS

    def earlier(self) -> dict[str, Trial]:
        """The trials that the JSON file tells of, as far as their mutants are still there, by what is known now."""
        path, mutants = self.docs / f"{self.name}.json", self.catalogue()
        entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        trials = {}
        for name, entry in entries.items():
            if name in mutants:
                breaks, found = mutants[name].breaks, tuple(entry["found"])
                failed = Outcome.DEAD if breaks == DEAD else Outcome.BROKEN
                came = outcome(breaks, found) if entry["verdict"] else failed
                trials[name] = Trial(name, came, found, entry["profile"], entry["verdict"])
        return trials

    def write(self, trials: Trials) -> None:
        """Both files, in the order of the catalogue."""
        mutants = self.catalogue()
        trials = {name: trials[name] for name in mutants if name in trials}
        self._put(f"{self.name}.json", as_json(mutants, trials))
        self._put(f"{self.name}.md", self.page(mutants, trials))

    def keep(self, trial: Trial) -> None:
        """Adds one trial to what the files tell, at once: all of them take long, and several runs may add to them."""
        with FileLock(self.docs / f".{self.name}.lock"):
            self.write({**self.earlier(), trial.name: trial})

    def _put(self, name: str, text: str) -> None:
        """Replaces a file as a whole: a run that is ended meanwhile leaves what was there."""
        whole = self.docs / f".{name}.new"
        whole.write_text(text, encoding="utf-8")
        whole.replace(self.docs / name)


def as_json(mutants: Mutants, trials: Trials) -> str:
    entries = {
        name: {
            "does": mutants[name].does,
            "breaks": sorted(breaks) if isinstance(breaks := mutants[name].breaks, frozenset) else breaks,
            "outcome": trial.outcome.value,
            "found": list(trial.found),
            "profile": trial.profile,
            "verdict": trial.verdict,
        }
        for name, trial in trials.items()
    }
    return json.dumps(entries, indent=1) + "\n"


HAND_MADE = Documents("mutants", mutants, page.markdown)
MECHANICAL = Documents("mutants-mechanical", mechanical, mechanical_page.markdown)
