"""`python -m tests.repeatability`: runs the suite again and again against one server, and says what is not the same
every time: the verdict, or what became of a requirement.

Rounds go through four surroundings in turn: idle or with both cores busy, in one process or with `-n 4`. What was seen
is kept in a file of JSON lines, so that rounds of several commands add up.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_dream_conformance.run.server_process import SERVERS, ServerProcess
from tests.repeatability.rounds import Round, differences, page, read

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "repeatability.md"
SURROUNDINGS = tuple(itertools.product((False, True), (1, 4)))
PATIENCE = 1800.0
"""Seconds until a run is killed; it counts as one without a verdict."""
SAID = 4000
"""Characters that are kept of what a run printed at its end, where it did not end with 0."""


def main() -> int:
    """1 where rounds differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.repeatability", description=__doc__)
    parser.add_argument("--target", choices=list(SERVERS), default="mock")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no round begins later than this")
    parser.add_argument("--kept", type=Path, default=Path("reports/repeatability.jsonl"))
    parser.add_argument("--page", action="store_true", help="write docs/repeatability.md of all that is kept")
    chosen = parser.parse_args()
    began = time.monotonic()
    chosen.kept.parent.mkdir(parents=True, exist_ok=True)
    if chosen.rounds:
        server = ServerProcess(chosen.target, SERVERS[chosen.target])
        try:
            for number in range(chosen.rounds):
                if time.monotonic() - began < chosen.seconds:
                    done = _round(chosen.target, server.url, *SURROUNDINGS[number % len(SURROUNDINGS)])
                    _keep(chosen.kept, done)
        finally:
            server.stop()
    rounds = read(chosen.kept)
    if chosen.page:
        DOCUMENT.write_text(page(rounds), encoding="utf-8")
    found = differences(rounds)
    sys.stdout.write("".join(f"{line}\n" for line in found) or f"{len(rounds)} rounds, all the same\n")
    return int(bool(found))


def _round(target: str, url: str, busy: bool, processes: int) -> Round:
    """One run, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, _load(busy):
        report = Path(folder, "report.json")
        began = time.monotonic()
        command = [sys.executable, "-m", "local_dream_conformance", "check", url, "--profile", "all"]
        command += ["--json-report", str(report), *(["-n", str(processes)] if processes > 1 else [])]
        with (Path(folder) / "output").open("wb") as output:
            try:
                code = subprocess.run(command, cwd=folder, stdout=output, stderr=output, timeout=PATIENCE).returncode
            except subprocess.TimeoutExpired:
                code = -1
        told = json.loads(report.read_text("utf-8")) if report.exists() else {"requirements": []}
        states = {one["id"]: one["verdict"] for one in told["requirements"]}
        said = (Path(folder) / "output").read_text("utf-8", "replace")[-SAID:] if code else ""
        seconds = time.monotonic() - began
        return Round(target, busy, processes, code, states, seconds, f"{time.strftime('%Y-%m-%d')}", said)


def _keep(path: Path, done: Round) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(done.line())
    sys.stdout.write(f"{done.target}, {done.surroundings}: exit {done.code}, {done.seconds:.0f} s\n")
    sys.stdout.flush()


@contextmanager
def _load(busy: bool) -> Iterator[None]:
    """A process that computes for each core, where it is to be busy."""
    count = (os.cpu_count() or 1) if busy else 0
    loads = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for load in loads:
            load.kill()
            load.wait()


if __name__ == "__main__":
    sys.exit(main())
