"""docs/mutants.md and docs/mutants.json."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from tests.examples.servers import EXAMPLES
from tests.mutants.mutant import GAP, LEGAL, Mutant
from tests.mutants.trial import OPTIONS, Outcome, Trial

DOCS = Path(__file__).resolve().parents[2] / "docs"

HEAD = """# Mutants of three servers

Written by `python -m tests.mutants`. Do not edit. It gives each server in [`examples/servers`](../examples/servers) one
bug at a time, of the kinds that programmers write, starts it, and has the suite judge it from outside: by the profile
core, and where that does not tell, by hardened (`{options}`). {run} of {all} mutants have been run.{partial}

- *caught*: a requirement that the bug breaks is judged broken, or, where the contract has none for it, any other.
- *misnamed*: requirements are judged broken, but none that the bug breaks: the author is sent to the wrong place.
- *missed*: a requirement is broken, and the suite does not see it.
- *gap*: any client would call it broken, the contract has no sentence against it, and all passes.
- *legal*: odd, and allowed; all passes. *false alarm*: allowed, and judged broken.

"""


PARTIAL = """
**The others have no row below, and are no random choice: the shares mean nothing until they have run** (`--new`)."""


def summary(trials: Collection[Trial]) -> str:
    """One line for the terminal."""
    counts = Counter(trial.outcome for trial in trials)
    return f"{len(trials)} mutants: " + ", ".join(f"{counts[one]} {one.value}" for one in Outcome if counts[one])


def markdown(mutants: Mapping[str, Mutant], trials: Mapping[str, Trial]) -> str:
    lines = [f"| server | mutants | {' | '.join(one.value for one in Outcome)} |", "|---" * (len(Outcome) + 2) + "|"]
    for server in (*EXAMPLES, "all"):
        ours = [trial for trial in trials.values() if server in ("all", mutants[trial.name].server)]
        counts = Counter(trial.outcome for trial in ours)
        lines.append(f"| {server} | {len(ours)} | {' | '.join(str(counts[one]) for one in Outcome)} |")
    for server in EXAMPLES:
        lines += [
            "",
            f"## {server}",
            "",
            "| mutant | what the server does | breaks | outcome | judged broken |",
            "|---" * 5 + "|",
        ]
        for name, trial in trials.items():
            if (mutant := mutants[name]).server == server:
                cells = (
                    f"`{name.partition('/')[2]}`",
                    mutant.does,
                    expected(mutant),
                    trial.outcome.value if trial.outcome is Outcome.CAUGHT else f"**{trial.outcome.value}**",
                    ", ".join(trial.found),
                    trial.profile if trial.found else "",
                )
                lines.append(f"| {' | '.join(cells)} |")
    partial = PARTIAL if len(trials) < len(mutants) else ""
    return (
        HEAD.format(options=" ".join(OPTIONS), run=len(trials), all=len(mutants), partial=partial)
        + "\n".join(lines)
        + "\n"
    )


def expected(mutant: Mutant) -> str:
    """The ids that a mutant breaks; or that it is legal, or that the contract does not say."""
    if isinstance(mutant.breaks, str):
        return {LEGAL: "nothing", GAP: "not in the contract"}[mutant.breaks]
    return ", ".join(sorted(mutant.breaks))


def as_json(mutants: Mapping[str, Mutant], trials: Mapping[str, Trial]) -> str:
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


def earlier(mutants: Mapping[str, Mutant]) -> dict[str, Trial]:
    """The trials that docs/mutants.json tells of, as far as their mutants are still there."""
    path = DOCS / "mutants.json"
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {
        name: Trial(name, Outcome(entry["outcome"]), tuple(entry["found"]), entry["profile"], entry["verdict"])
        for name, entry in entries.items()
        if name in mutants
    }


def write(mutants: Mapping[str, Mutant], trials: Mapping[str, Trial]) -> None:
    """Both documents, in the order of the catalogue."""
    trials = {name: trials[name] for name in mutants if name in trials}
    (DOCS / "mutants.md").write_text(markdown(mutants, trials), encoding="utf-8")
    (DOCS / "mutants.json").write_text(as_json(mutants, trials), encoding="utf-8")
