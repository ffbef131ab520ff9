"""Pictures a second with more and more replicas: ``python -m benchmarks.replicas`` (needs the extra ray).

The engine sleeps instead of computing, so that what is seen is the front, the cluster and the way between them, and not
the cores of this machine. Twice as many clients as replicas ask without a pause.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import httpx

from benchmarks.machine import core_seconds, load

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def front(replicas: int, pace: float, address: str | None) -> Iterator[tuple[str, int]]:
    """A server with so many replicas that sleep ``pace`` seconds a step: its URL and its process's id."""
    command = [sys.executable, "-m", "local_dream_mockserver.commands.serve", "--port", "0", "--engine", "synthetic"]
    command += ["-o", f"pace_step={pace}", "--ray", "--replicas", str(replicas), "--replica-cpus", "0"]
    command += ["--ray-address", address] if address else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[1], process.pid
        finally:
            process.terminate()


@click.command()
@click.option("--replicas", default="1,2,4", show_default=True)
@click.option("--side", default=64, show_default=True, help="Of the pictures, in pixels.")
@click.option("--steps", default=4, show_default=True)
@click.option("--pace", default=0.25, show_default=True, help="Seconds a step.")
@click.option("--each", default=8, show_default=True, help="Pictures for each replica.")
@click.option("--ray-address", help="A cluster; left out: one of its own.")
def main(replicas: str, side: int, steps: int, pace: float, each: int, ray_address: str | None) -> None:
    """Print a Markdown table."""
    click.echo(f"{side}x{side}, {steps} steps of {pace} s; {os.cpu_count()} cores, load {load()}\n")
    click.echo("| replicas | pictures/s | of one replica | of what sleeping allows | front, core ms/picture |")
    click.echo("|---|---|---|---|---|")
    first = None
    for count in (int(word) for word in replicas.split(",")):
        body = {"prompt": "x", "width": side, "height": side, "steps": steps, "seed": 1}
        with front(count, pace, ray_address) as (url, pid), httpx.Client(base_url=url, timeout=600) as client:

            def ask(_: int, client: httpx.Client = client, body: dict[str, object] = body) -> None:
                assert "event: complete" in client.post("/generate", json=body).text

            with ThreadPoolExecutor(2 * count) as clients:
                list(clients.map(ask, range(2 * count)))
                began, cores = time.perf_counter(), core_seconds(pid)
                list(clients.map(ask, range(each * count)))
                seconds, cores = time.perf_counter() - began, core_seconds(pid) - cores
        rate = each * count / seconds
        first = first or rate
        share = rate / (count / (steps * pace))
        cost = cores / (each * count) * 1000
        click.echo(f"| {count} | {rate:.2f} | {rate / first:.2f} | {share:.2f} | {cost:.1f} |")
    click.echo(f"\nLoad at the end: {load()}")


if __name__ == "__main__":
    main()
