"""Tries all narrow servers: `python -m tests.conformance.narrow [NAME ...]`.

One line each; exit code 1 where one is missed.

Run in November 2026 with the forms spelt as they are now (`spelling`): all 98 were found and named, with 10.8
generations on average and 20 at most, where a server that is right costs 8. The last of them to be found, mask-unfit,
had been one that bit only two forms together (a mask of 36 x 60 is one of another size in one picture size alone),
which GEN-REQ-23 says; now it bites every mask of another size than the picture.
"""

from __future__ import annotations

import sys

from tests.conformance.narrow.judged import judged
from tests.conformance.narrow.server import narrow
from tests.conformance.narrow.spots import SPOTS, UPSCALE


def main(names: list[str]) -> int:
    missed = 0
    for name in names or SPOTS:
        id, bites = SPOTS[name]
        with narrow(bites, "/upscale" if name in UPSCALE else "/generate") as url:
            found = judged(url)
        others = [other for other in found.broken if other != id]
        good = id in found.broken
        missed += not good
        said = "; ".join(text.partition(" for a request with ")[2] or text for text in found.named.get(id, ()))
        line = f"{'found' if good else 'MISSED'} {name}: {id} {said}; {found.cost.generations} generations"
        line += f"; also {', '.join(others)}" if others else ""
        line += f"; blocked {', '.join(found.blocked)}" if found.blocked else ""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(names or SPOTS) - missed} of {len(names or SPOTS)} found\n")
    return min(1, missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
