"""docs/mutants-mechanical.md."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.examples.servers import EXAMPLES
from tests.mutants.mutant import DEAD, LEGAL, SAME, UNREAD, Mutant
from tests.mutants.page import expected
from tests.mutants.shares import Outcomes, left_alone, named, told, written
from tests.mutants.trial import OPTIONS, Outcome, Trial

HEAD = """# Mutants that a tool made

Written by `python -m tests.mutants --mechanical`. Do not edit. Somebody thought of each mutant in
[mutants.md](mutants.md); of these nobody did. [universalmutator](https://github.com/agroce/universalmutator) 1.14.1
changed every line of the three servers by its rules for all languages, for those like C, and for Python, Go and
JavaScript, and `python -m tests.mutants.draw` drew {all} of that, by a fixed seed, two of a line at most. Left out
were comments, imports, what is printed and the command line, what does not compile, and what compiles to the same
program. Each drawing was committed before the suite had seen any of it, the second one after it had been made to tell
more of the first. The suite judges each from outside, by the profile core, and where that tells of nothing, by all
(`{options}`). {run} have been run. They are cruder than what programmers get wrong, so that the shares are not to be
compared with those of mutants.md.

What was not told was read afterwards, and so was what told of the others:

- *not viable*: the server never listens, or never answers GET /health with status 200: the suite says that it cannot be
  reached, and judges nothing.
- *equivalent*: no client can see a difference, whatever it sends of what the contract describes.
- *legal*: a client can see it, and the contract allows it.
- *wrong*: all others. *told*: a requirement is judged broken. *missed*: a written requirement is broken, and the suite
  does not see it. *gap*: any client would call it broken, and the contract has no sentence against it. *misnamed*: what
  is judged broken is not what the change breaks.

"""
COLUMNS = {
    "wrong, and told": told,
    "of those that break a written requirement": written,
    "told, with the right requirement": named,
    "equivalent or legal, and left alone": left_alone,
}


def markdown(mutants: Mapping[str, Mutant], trials: Mapping[str, Trial]) -> str:
    now = [(mutants[name], trial.outcome) for name, trial in trials.items()]
    then = [(one, Outcome(one.first) if one.first else outcome) for one, outcome in now]
    lines = _kinds([one for one, _ in now])
    for number in sorted({one.round for one, _ in then}):
        lines += _shares(f"At first sight: drawing {number}", [pair for pair in then if pair[0].round == number])
    lines += _shares("Now", now)
    for server in EXAMPLES:
        lines += _read(server, mutants, trials)
    head = HEAD.format(options=" ".join(OPTIONS), run=len(trials), all=len(mutants))
    return head + "\n".join(lines) + "\n"


def _shares(head: str, outcomes: Outcomes) -> list[str]:
    """The lines on what was told, by server."""
    lines = ["", f"## {head}", "", f"| server | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for server in (*EXAMPLES, "all"):
        ours = [(one, outcome) for one, outcome in outcomes if server in ("all", one.server)]
        lines.append(f"| {server} | {' | '.join(share(ours) for share in COLUMNS.values())} |")
    return lines


def _kinds(ran: Sequence[Mutant]) -> list[str]:
    lines = ["| server | drawn | not viable | equivalent | legal | wrong |", "|---" * 6 + "|"]
    for server in (*EXAMPLES, "all"):
        ours = [one for one in ran if server in ("all", one.server)]
        counts = Counter(one.breaks for one in ours)
        apart = [counts[kind] for kind in (DEAD, SAME, LEGAL)]
        lines.append(f"| {server} | {' | '.join(map(str, (len(ours), *apart, len(ours) - sum(apart))))} |")
    return lines


def _read(server: str, mutants: Mapping[str, Mutant], trials: Mapping[str, Trial]) -> list[str]:
    """The lines on those of a server that were read, or are still to be."""
    lines = ["", f"## {server}: what was read", ""]
    lines += ["| mutant | line | change | breaks | at first sight | now | judged broken | reading |", "|---" * 8 + "|"]
    for name, trial in trials.items():
        one = mutants[name]
        if one.server == server and (one.breaks != UNREAD or trial.outcome is not Outcome.CAUGHT):
            kind = {SAME: "nothing", DEAD: "all", UNREAD: "not read yet"}.get(str(one.breaks)) or expected(one)
            outcomes = one.first or trial.outcome.value, trial.outcome.value
            cells = (
                f"`{name.partition('/')[2]}`",
                _code(one.at),
                change(one),
                kind,
                *outcomes,
                _few(trial.found),
                one.why,
            )
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def change(mutant: Mutant) -> str:
    """What differs, with the words around it."""
    old, new = mutant.search.split("\n"), mutant.replace.split("\n")
    gone = "\n".join(line.strip() for line in _missing(old, new))
    come = "\n".join(line.strip() for line in _missing(new, old))
    start = next((i for i, (a, b) in enumerate(zip(gone, come, strict=False)) if a != b), min(len(gone), len(come)))
    rest = min(len(gone), len(come)) - start
    end = next((i for i, (a, b) in enumerate(zip(gone[::-1], come[::-1], strict=False)) if a != b or i == rest), rest)
    before = re.search(r"\S*\s?\S*$", gone[:start])
    after = re.match(r"\S*\s?\S*", gone[len(gone) - end :])
    around = before[0] if before else "", after[0] if after else ""
    parts = (f"{around[0]}{text[start : len(text) - end]}{around[1]}".strip() for text in (gone, come))
    return " → ".join(_code(part) if part else "nothing" for part in parts)


def _missing(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    """The lines that are not in the others."""
    return [line[2:] for line in difflib.ndiff(others, lines) if line.startswith("+ ")]


def _code(text: str) -> str:
    """A cell of a table may hold a | where it is escaped, in code too."""
    fence = "``" if "`" in text else "`"
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", r"\|").replace("\n", " ")


def _few(ids: Sequence[str]) -> str:
    return ", ".join(ids[:4]) + (f" and {len(ids) - 4} more" if len(ids) > 4 else "")
