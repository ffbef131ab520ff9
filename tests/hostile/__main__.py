"""`python -m tests.hostile`: a run at every hostile target; says of each what it took, and what was wrong."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.hostile.behind import mock
from tests.hostile.hostile import Hostile
from tests.hostile.outcome import Kept, Outcome, page
from tests.hostile.targets import TARGETS
from tests.hostile.trial import attempt

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "hostile.md"


def main() -> int:
    """1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--only", default="", help="only those whose name has this in it")
    parser.add_argument("--fast", action="store_true", help="only those that CI tries")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--kept", type=Path, help="a file of outcomes: those in it are not tried again")
    parser.add_argument("--page", action="store_true", help="write docs/hostile.md")
    chosen = parser.parse_args()
    kept = Kept(chosen.kept)
    tried = [one for one in TARGETS if chosen.only in one.name and (one.fast or not chosen.fast)]
    left = [one for one in tried if one.name not in kept.outcomes]
    with mock() as upstream, ThreadPoolExecutor(chosen.at_once) as pool:
        for made in pool.map(lambda hostile: _try(hostile, upstream, kept), left):
            kept.outcomes[made.name] = made
    held = [not kept.outcomes[one.name].problems for one in tried]
    _say(f"{held.count(True)} of {len(held)} hostile targets end as they must")
    if chosen.page:
        DOCUMENT.write_text(page(list(kept.outcomes.values())), encoding="utf-8")
    return int(not all(held))


def _try(hostile: Hostile, upstream: tuple[str, int], kept: Kept) -> Outcome:
    ran, problems = attempt(hostile, upstream)
    made = Outcome.of(hostile.name, ran, problems)
    kept.add(made)
    took = f"{ran.peak} MiB, {ran.cpu:.0f} s of processor, {ran.wall:.0f} s"
    broken = f"{len(ran.broken)} broken: {' '.join(ran.broken[:12])}"
    _say(f"{hostile.name}: exit {ran.code}, {took}, {broken}{': WRONG: ' + '; '.join(problems) if problems else ''}")
    if problems and not ran.report:
        _say("\n".join(ran.printed.splitlines()[-30:]))
    return made


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
