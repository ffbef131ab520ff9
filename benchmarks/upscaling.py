"""Speed and memory of the 4x upscaler: ``python -m benchmarks.upscaling [--model NAME] [--upscalers DIR]``.

Each size runs in a process of its own, so that its peak memory is its own. Times are those
of ``Upscaler.upscale`` alone (no JPEG, no HTTP), after one warm-up call. Core seconds (of
the cheapest call, all threads together) say more than wall time on a machine that is busy.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np


def measure(side: int, model: str, folder: Path | None, repeats: int) -> dict[str, float]:
    """Seconds and memory for one square size."""
    from local_dream_reference.machine import peak_memory
    from local_dream_reference.upscaling.catalogue import Catalogue
    from local_dream_reference.upscaling.upscaler import Upscaler

    upscaler = Upscaler(Catalogue(folder))
    upscaler.upscale(np.zeros((16, 16, 3), np.uint8), model)
    before = peak_memory()
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    seconds, core_seconds = [], []
    for _ in range(repeats):
        start, core_start = time.perf_counter(), time.process_time()
        upscaler.upscale(picture, model)
        seconds.append(time.perf_counter() - start)
        core_seconds.append(time.process_time() - core_start)
    return {
        "best": min(seconds),
        "median": statistics.median(seconds),
        "core": min(core_seconds),
        "before": before,
        "peak": peak_memory(),
    }


@click.command()
@click.option("--model", default="default", show_default=True)
@click.option("--upscalers", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--sides", default="256,512,1024,2048", show_default=True, help="Sides of the square inputs.")
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(1))
@click.option("--one", type=int, hidden=True, help="Measure this side in this process and print JSON.")
def main(model: str, folder: Path | None, sides: str, repeats: int, one: int | None) -> None:
    """Print a Markdown table of seconds, megapixels per second and peak memory."""
    if one is not None:
        click.echo(json.dumps(measure(one, model, folder, repeats)))
        return
    click.echo("| in | out | best s | median s | core seconds | MPix/s out (best) | peak MiB | of it before |")
    click.echo("|---|---|---|---|---|---|---|---|")
    for side in (int(word) for word in sides.split(",")):
        command = [sys.executable, __file__, "--model", model, "--repeats", str(repeats), "--one", str(side)]
        command += [] if folder is None else ["--upscalers", str(folder)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        pixels = (4 * side) ** 2 / 1e6
        click.echo(
            f"| {side}x{side} | {4 * side}x{4 * side} | {row['best']:.2f} | {row['median']:.2f} | {row['core']:.2f} "
            f"| {pixels / row['best']:.2f} | {row['peak']:.0f} | {row['before']:.0f} |"
        )


if __name__ == "__main__":
    main()
