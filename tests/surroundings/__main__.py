"""`python -m tests.surroundings`: judges every right server, and says for each how long it took and what was wrong."""

from __future__ import annotations

import argparse
import logging
import sys
import time

from tests.surroundings.judged import judge, wrong
from tests.surroundings.servers import SURROUNDINGS, Surrounding


def main() -> int:
    """1 where something was found wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.surroundings", description=__doc__)
    parser.add_argument("--only", default="", help="only those whose name has this in it")
    parser.add_argument("--profile", default="all", choices=("core", "hardened", "all"))
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    held = [_try(one, chosen.profile) for one in SURROUNDINGS if chosen.only in one.name]
    return int(not all(held))


def _try(surrounding: Surrounding, profile: str) -> bool:
    if missing := surrounding.missing():
        _say(f"{surrounding.name}: not tried, needs {missing}")
        return True
    began = time.monotonic()
    with surrounding.stands() as url:
        judgements, exchanges = judge(url, profile=profile, **surrounding.options)
    found = wrong(judgements)
    took = f"{len(exchanges)} requests, {time.monotonic() - began:.0f} s"
    _say(f"{surrounding.name}: {took}: {found or 'conformant'}")
    return not found


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
