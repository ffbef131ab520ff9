"""Prints how alike the personalities answer, and what differs: `python -m tests.releases [NAME...]`."""

from __future__ import annotations

import sys
from collections import Counter

from tests.releases.alike import cases, differences, explained, played


def main(names: list[str]) -> int:
    """0 where all that differs is explained."""
    all_cases = [case for case in cases() if not names or any(name in case.name for name in names)]
    alike, total, unexplained = Counter[str](), Counter[str](), 0
    for case, answer in played(all_cases):
        total[case.release] += 1
        found = differences(case, answer)
        alike[case.release] += not found
        if found:
            reason = explained().get(case.release, {}).get(case.name, "")
            unexplained += not reason
            first = f"{case.release} {case.name}{f': {reason}' if reason else ''}"
            sys.stdout.write("\n    ".join([first, *found]) + "\n")
    for release in sorted(total):
        sys.stdout.write(
            f"{release}: {alike[release]} of {total[release]} alike ({alike[release] / total[release]:.1%})\n"
        )
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
