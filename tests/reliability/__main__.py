"""`python -m tests.reliability`: throws all of it at the servers, on loopback; with `--page` writes
docs/reliability.md. What was seen is kept in a file of JSON lines, so that several commands add up."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from tests.reliability import endings, neighbours
from tests.reliability.crowds import crowd, hang_ups, percentile
from tests.reliability.document import PARTS, Row, Section, read, write
from tests.reliability.hostile import from_hypothesis, from_sockets
from tests.reliability.served import COMMANDS, Served, served
from tests.reliability.surfaces import SURFACES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
ENGINES = ("mock", "reference")
"""What has a queue of its own; the others stand before it."""


def main() -> int:
    """1 where something went wrong that must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--target", action="append", choices=list(COMMANDS), help="default: each; repeat for more")
    parser.add_argument("--part", action="append", choices=list(PARTS), help="default: each; repeat for more")
    parser.add_argument("--count", type=int, default=20_000, help="hostile requests; a quarter of them by hypothesis")
    parser.add_argument("--hang-ups", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--crowd-seconds", type=float, default=120)
    parser.add_argument("--soak-seconds", type=float, default=3600)
    parser.add_argument("--waiting", type=int, default=1000, help="requests of one client, beside which another asks")
    parser.add_argument("--kept", type=Path, default=Path("reports/reliability.jsonl"))
    parser.add_argument("--page", action="store_true", help="write docs/reliability.md of all that is kept")
    parser.add_argument("--no-run", action="store_true", help="throw nothing")
    chosen = parser.parse_args()
    chosen.kept.parent.mkdir(parents=True, exist_ok=True)
    given = [word for word in sys.argv[1:] if word not in ("--page", "--no-run")]
    for target in [] if chosen.no_run else (chosen.target or list(COMMANDS)):
        for part in chosen.part or PARTS:
            section = _proof(Section(target, part, options=_told(given)), chosen)
            with chosen.kept.open("a", encoding="utf-8") as file:
                file.write(section.line())
    sections = read(chosen.kept)
    if chosen.page:
        write(sections, DOCUMENT)
    return int(any(section.broken for section in sections))


def _told(words: list[str]) -> list[str]:
    """The options that say how much was thrown: not where it was kept, nor at what."""
    pairs = list(zip(words[::2], words[1::2], strict=False))
    return [word for name, value in pairs if name not in ("--kept", "--target", "--part") for word in (name, value)]


def _proof(section: Section, chosen: argparse.Namespace) -> Section:
    began = time.monotonic()
    if section.part == "neighbours":
        _neighbours(section, chosen)
    else:
        with served(section.target) as server:
            start = server.memory()
            (_crowds if section.part == "crowds" else _soak)(section, server, chosen)
            alive, failures = server.process.poll() is None, server.tracebacks()
            memory = f"{start} MiB at the start, {server.memory()} MiB at the end"
            section.add(Row("memory", 1, memory, broken=not alive))
            section.add(Row("lines of tracebacks in the log", 1, str(failures), broken=failures > 0))
            status, seconds = server.stop()
            section.add(Row("SIGTERM", 1, f"status {status} after {seconds:.2f} s", broken=status != 0 or seconds > 2))
    section.seconds = time.monotonic() - began
    return section


def _crowds(section: Section, server: Served, chosen: argparse.Namespace) -> None:
    raw = from_sockets(server, SURFACES[section.target], chosen.count - chosen.count // 4)
    bodies = from_hypothesis(server, SURFACES[section.target], chosen.count // 4)
    bad = _unwanted(raw + bodies)
    section.add(Row("hostile requests from bare sockets", raw.total(), _listed(raw)))
    section.add(Row("hostile bodies by hypothesis", bodies.total(), _listed(bodies)))
    section.add(Row("unwanted 5xx (all but 503)", raw.total() + bodies.total(), str(bad), broken=bad > 0))
    with server.client() as client:  # what was ordered is taken back
        client.put("/__mock__/reset")
        client.base_url = server.aimed
        client.post("/select", json={"model_id": "synthetic"})
    if chosen.hang_ups and server.aimed == server.url:
        waits = hang_ups(server, chosen.hang_ups)
        middle, most = percentile(waits, 0.5) * 1000, max(waits) * 1000
        text = f"median {middle:.0f} ms, at most {most:.0f} ms until the next is served"
        section.add(Row("hang-ups", len(waits), text, broken=most > 10_000))
        section.add(neighbours.abandoned(server, 50))
    seen, _ = crowd(section.target, server, chosen.clients, chosen.crowd_seconds, every=0.5)
    section.add(
        Row(f"{chosen.clients} clients for {chosen.crowd_seconds:g} s", seen.answers.total(), _listed(seen.answers))
    )
    section.add(Row("answers that were another's", len(seen.pictures), str(seen.mixed_up), broken=seen.mixed_up > 0))
    text = f"median {percentile(seen.health, 0.5) * 1000:.0f} ms, p99 {percentile(seen.health, 0.99) * 1000:.0f} ms"
    section.add(Row("/health in that crowd", len(seen.health), text))


def _soak(section: Section, server: Served, chosen: argparse.Namespace) -> None:
    seen, section.curve = crowd(section.target, server, 4, chosen.soak_seconds, every=0.02)
    section.soaked = chosen.soak_seconds
    section.add(Row(f"4 clients for {chosen.soak_seconds:g} s", seen.answers.total(), _listed(seen.answers)))
    section.add(Row("answers that were another's", len(seen.pictures), str(seen.mixed_up), broken=seen.mixed_up > 0))


def _neighbours(section: Section, chosen: argparse.Namespace) -> None:
    if section.target in ENGINES:
        section.add(neighbours.overload(section.target, max(100, chosen.count // 20)))
        section.add(neighbours.fairness(section.target, chosen.waiting))
        section.add(neighbours.unread(section.target))
    section.add(neighbours.idle(section.target, 1100, 1024))
    section.add(endings.told(section.target))
    section.add(endings.killed(section.target))


def _unwanted(answers: Counter[str]) -> int:
    return sum(count for status, count in answers.items() if status.startswith("5") and status != "503")


def _listed(answers: Counter[str]) -> str:
    return ", ".join(f"{answer} {count}" for answer, count in sorted(answers.items()))


if __name__ == "__main__":
    sys.exit(main())
