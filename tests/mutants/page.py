"""docs/mutants.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tests.examples.servers import EXAMPLES
from tests.mutants.mutant import GAP, LEGAL, Mutant
from tests.mutants.shares import SHARES
from tests.mutants.trial import OPTIONS, Outcome, Trial

HEAD = """# Mutants of three servers

Written by `python -m tests.mutants`. Do not edit. It gives each server in [`examples/servers`](../examples/servers) one
bug at a time, of the kinds that programmers write, starts it, and has the suite judge it from outside: by the profile
core, and where that does not tell, by all (`{options}`; a line that says hardened is older).
{run} of {all} mutants have been run.{partial}

- *caught*: a requirement that the bug breaks is judged broken, or, where the contract has none for it, any other.
- *misnamed*: requirements are judged broken, but none that the bug breaks: the author is sent to the wrong place.
- *missed*: a requirement is broken, and the suite does not see it.
- *gap*: any client would call it broken, the contract has no sentence against it, and all passes.
- *legal*: odd, and allowed; all passes. *false alarm*: allowed, and judged broken.

*by* is the profile that told. Mutants of which nobody thought are in [mutants-mechanical.md](mutants-mechanical.md).

"""


PARTIAL = """
**The others have no row below, and are no random choice: the shares mean nothing until they have run** (`--new`)."""


OUTCOMES = tuple(one for one in Outcome if one not in (Outcome.SAME, Outcome.UNREAD, Outcome.DEAD))
"""Whoever writes a mutant by hand knows what it changes."""
OPEN = (Outcome.MISSED, Outcome.MISNAMED, Outcome.GAP)


def markdown(mutants: Mapping[str, Mutant], trials: Mapping[str, Trial]) -> str:
    lines = [f"| server | mutants | {' | '.join(one.value for one in OUTCOMES)} |", "|---" * (len(OUTCOMES) + 2) + "|"]
    for server in (*EXAMPLES, "all"):
        ours = [trial for trial in trials.values() if server in ("all", mutants[trial.name].server)]
        counts = Counter(trial.outcome for trial in ours)
        lines.append(f"| {server} | {len(ours)} | {' | '.join(str(counts[one]) for one in OUTCOMES)} |")
    for server in EXAMPLES:
        lines += [
            "",
            f"## {server}",
            "",
            "| mutant | what the server does | breaks | outcome | judged broken | by |",
            "|---" * 6 + "|",
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
    lines += unseen(mutants, trials)
    lines += open_ones(mutants, trials)
    partial = PARTIAL if len(trials) < len(mutants) else ""
    return (
        HEAD.format(options=" ".join(OPTIONS), run=len(trials), all=len(mutants), partial=partial)
        + "\n".join(lines)
        + "\n"
    )


def unseen(mutants: Mapping[str, Mutant], trials: Mapping[str, Trial]) -> list[str]:
    """The lines on the mutants that were written, with what they break, before the suite had seen them."""
    fresh = [(mutants[name], trial) for name, trial in trials.items() if mutants[name].round > 1]
    if not fresh:
        return []
    lines = [
        "",
        "## Mutants that the suite had not seen",
        "",
        "They were written, each with what it breaks, before the suite had seen any of its round, and *then* goes by "
        "this. *Now* goes by what it breaks by the contract of now, where that says more. What the suite made of them "
        "then, and makes of them now:",
    ]
    for number in sorted({one.round for one, _ in fresh}):
        now = [(one, trial.outcome) for one, trial in fresh if one.round == number]
        then = [(one.as_written(), Outcome(one.first) if one.first else outcome) for one, outcome in now]
        lines += ["", f"| round {number}: {len(now)} mutants | then | now |", "|---|---|---|"]
        for head, share in SHARES.items():
            lines.append(f"| {head} | {' | '.join(share(outcomes) for outcomes in (then, now))} |")
    noted = [f"- `{one.name}`: {one.note}" for one, _ in fresh if one.note]
    return [*lines, *(["", "What was found out about expectations afterwards:", "", *noted] if noted else [])]


def open_ones(mutants: Mapping[str, Mutant], trials: Mapping[str, Trial]) -> list[str]:
    """The lines that say why what is not caught stays so, as far as the catalogue knows."""
    told = [(name, mutants[name].why) for name, trial in trials.items() if trial.outcome in OPEN and mutants[name].why]
    return ["", "## Why these stay", "", *(f"- `{name}`: {why}" for name, why in told)] if told else []


def expected(mutant: Mutant) -> str:
    """The ids that a mutant breaks; or that it is legal, or that the contract does not say."""
    if isinstance(mutant.breaks, str):
        return {LEGAL: "nothing", GAP: "not in the contract"}[mutant.breaks]
    return ", ".join(sorted(mutant.breaks))
