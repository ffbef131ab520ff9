"""`python -m tests.reliability`: throws all of it at the servers, on loopback, and writes docs/reliability.md."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from tests.reliability.crowds import crowd, hang_ups, percentile
from tests.reliability.document import Row, Section, document
from tests.reliability.hostile import from_hypothesis, from_sockets
from tests.reliability.served import COMMANDS, Served, served

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"


def main() -> int:
    """1 where something went wrong that must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--target", action="append", choices=list(COMMANDS), help="default: mock; repeat for more")
    parser.add_argument("--count", type=int, default=20_000, help="hostile requests; a quarter of them by hypothesis")
    parser.add_argument("--hang-ups", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--crowd-seconds", type=float, default=120)
    parser.add_argument("--soak-seconds", type=float, default=3600)
    chosen = parser.parse_args()
    sections = []
    for target in chosen.target or ["mock"]:
        with served(target) as server:
            sections.append(_proof(target, server, chosen))
    DOCUMENT.write_text(document(sections, sys.argv[1:]), encoding="utf-8")
    return int(any(section.broken for section in sections))


def _proof(target: str, server: Served, chosen: argparse.Namespace) -> Section:
    began = time.monotonic()
    section = Section(target)
    start = server.memory()
    raw = from_sockets(server, chosen.count - chosen.count // 4)
    bodies = from_hypothesis(server, chosen.count // 4)
    bad = _unwanted(raw + bodies)
    section.add(Row("hostile requests from bare sockets", raw.total(), _listed(raw)))
    section.add(Row("hostile bodies by hypothesis", bodies.total(), _listed(bodies)))
    section.add(Row("unwanted 5xx (all but 503)", raw.total() + bodies.total(), str(bad), broken=bad > 0))
    waits = hang_ups(server, chosen.hang_ups)
    text = f"median {percentile(waits, 0.5) * 1000:.0f} ms, at most {max(waits) * 1000:.0f} ms until the next is served"
    section.add(Row("hang-ups", len(waits), text, broken=max(waits) > 10))
    seen, _ = crowd(server, chosen.clients, chosen.crowd_seconds, every=0.5)
    section.add(
        Row(f"{chosen.clients} clients for {chosen.crowd_seconds:g} s", seen.answers.total(), _listed(seen.answers))
    )
    section.add(Row("answers that were another's", len(seen.pictures), str(seen.mixed_up), broken=seen.mixed_up > 0))
    text = f"median {percentile(seen.health, 0.5) * 1000:.0f} ms, p99 {percentile(seen.health, 0.99) * 1000:.0f} ms"
    section.add(Row("/health in that crowd", len(seen.health), text))
    soaked, section.curve = crowd(server, 4, chosen.soak_seconds, every=0.02)
    section.add(Row(f"soak, 4 clients for {chosen.soak_seconds:g} s", soaked.answers.total(), _listed(soaked.answers)))
    alive, failures = server.process.poll() is None, server.tracebacks()
    memory = f"{start} MiB at the start, {server.memory()} MiB at the end"
    section.add(Row("memory", 1, memory, broken=not alive))
    section.add(Row("lines of tracebacks in the log", 1, str(failures), broken=failures > 0))
    status, seconds = server.stop()
    section.add(Row("SIGTERM", 1, f"status {status} after {seconds:.2f} s", broken=status != 0 or seconds > 2))
    section.seconds = time.monotonic() - began
    return section


def _unwanted(answers: Counter[str]) -> int:
    return sum(count for status, count in answers.items() if status.startswith("5") and status != "503")


def _listed(answers: Counter[str]) -> str:
    return ", ".join(f"{answer} {count}" for answer, count in sorted(answers.items()))


if __name__ == "__main__":
    sys.exit(main())
