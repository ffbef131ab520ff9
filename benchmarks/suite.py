"""What a run of the suite costs beside what its target takes: ``python -m benchmarks.suite``.

The processor time is the suite's own. A second table asks a mock that takes its time, as an engine does: how much of a
run's wall time is the target's own work, and how much is ours, or waiting.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.machine import core_seconds, load
from benchmarks.servers import free_port, started

MEASURED = """
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
found = [os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]
json.dump(found, open(sys.argv[1], "w"))
"""


@dataclass(frozen=True)
class Run:
    """Wall and processor seconds of the suite, processor seconds of the target, MiB of the suite at its peak, and how
    many requirements were judged."""

    wall: float
    cores: float
    target: float
    memory: float
    judged: int


def checking(port: int, profile: str) -> list[str]:
    """The command that judges the server at a port."""
    return [
        sys.executable,
        *("-m", "local_dream_conformance", "check", f"http://127.0.0.1:{port}", "--profile", profile),
    ]


def judge(profile: str, *pace: str) -> Run:
    """A run against a mock of its own. Raises ClickException where the verdict is not "conformant"."""
    port = free_port()
    command = [sys.executable, "-m", "local_dream_mockserver.commands.mock", "--port", str(port), *pace]
    with started(command, port) as (pid, _), tempfile.TemporaryDirectory() as folder:
        report, usage = Path(folder, "report.json"), Path(folder, "usage.json")
        check = checking(port, profile)
        before, began = core_seconds(pid), time.perf_counter()
        measured = [sys.executable, "-c", MEASURED, str(usage), *check, "--json-report", str(report)]
        subprocess.run(measured, check=True, cwd=folder)
        wall = time.perf_counter() - began
        code, cores, memory = json.loads(usage.read_text("utf-8"))
        if code:
            raise click.ClickException(f"the mock is not conformant in {profile}: exit status {code}")
        return Run(wall, cores, core_seconds(pid) - before, memory, judged(report))


def judged(report: Path) -> int:
    """How many requirements have a verdict in a JSON report."""
    requirements = json.loads(report.read_text("utf-8"))["requirements"]
    return sum(requirement["verdict"] in ("pass", "fail", "warn") for requirement in requirements)


def best(profile: str, rounds: int, *pace: str) -> Run:
    """The one of ``rounds`` runs that computed least."""
    return min((judge(profile, *pace) for _ in range(rounds)), key=lambda run: run.cores)


@click.command()
@click.option("--profiles", default="core,hardened,all", show_default=True)
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
def main(profiles: str, rounds: int) -> None:
    """Print Markdown tables."""
    click.echo("Against the mock without a wait:\n")
    click.echo("| profile | judged | suite, CPU s | target, CPU s | wall s | memory, MiB |")
    click.echo("|---|---|---|---|---|---|")
    names = profiles.split(",")
    still = {name: best(name, rounds, "--pace-first", "0", "--pace-step", "0") for name in names}
    for name, run in still.items():
        click.echo(
            f"| {name} | {run.judged} | {run.cores:.1f} | {run.target:.1f} | {run.wall:.1f} | {run.memory:.0f} |"
        )
    click.echo("\nCore against a mock that takes its time: what is beyond the run without a wait is the target's.\n")
    click.echo("| a step, ms | wall s | suite, CPU s | share of the wall time that is the target's |")
    click.echo("|---|---|---|---|")
    for pace in (5, 200) if rounds > 1 else (5,):
        run = best("core", 1, "--pace-first", "0", "--pace-step", str(pace / 1000))
        share = max(run.wall - still.get("core", run).wall, 0) / run.wall
        click.echo(f"| {pace} | {run.wall:.1f} | {run.cores:.1f} | {share:.2f} |")
    click.echo(f"\nLoad at the end: {load()}")


if __name__ == "__main__":
    main()
