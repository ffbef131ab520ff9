"""How cost grows with pixels, steps, clients and checks, with plots (extra bench): ``python -m benchmarks.growth``."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import httpx

from benchmarks.machine import load
from benchmarks.servers import SMALL, free_port, ours, started
from benchmarks.suite import checking, judged

Curve = list[tuple[float, float]]


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of some calls."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def engine_curves(smoke: bool) -> dict[str, Curve]:
    """Seconds of a picture of the reference engine over its pixels (20 steps), and over its steps (256x256)."""
    from benchmarks.engine import Request, draw
    from local_dream_reference.engine import create

    engine = create({"device": "cpu"})
    draw(engine, Request(side=64, steps=1))

    def seconds(side: int, steps: int) -> float:
        return fastest(lambda: draw(engine, Request(side=side, steps=steps)), 1 if smoke else 2)

    if smoke:
        return {"megapixels (2 steps), s": [(0.004, seconds(64, 2))], "steps (64x64), s": [(1.0, seconds(64, 1))]}
    pixels = [(side * side / 1e6, seconds(side, 20)) for side in (128, 256, 384, 512, 768, 1024)]
    count = [(float(steps), seconds(256, steps)) for steps in (1, 5, 10, 20, 40)]
    return {"megapixels (20 steps), s": pixels, "steps (256x256), s": count}


def client_curve(smoke: bool) -> Curve:
    """Milliseconds that a generation of the mock takes on average, over how many clients ask at once."""
    port, found = free_port(), []
    with (
        started(ours(port, "--max-waiting", "64"), port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        for clients in (1, 2) if smoke else (1, 2, 4, 8, 16, 32):
            count = 4 * clients if smoke else 200
            with ThreadPoolExecutor(clients) as pool:
                began = time.perf_counter()
                answers = list(pool.map(lambda _: client.post("/generate", json=SMALL).status_code, range(count)))
            assert set(answers) == {200}, set(answers)
            found.append((float(clients), (time.perf_counter() - began) / count * 1000))
    return found


def check_curve(smoke: bool) -> Curve:
    """Seconds of a run against the mock over how many requirements it judges."""
    port, found = free_port(), []
    selections = ("HLT",) if smoke else ("HLT", "HLT or ERR", "HLT or ERR or UPS", "not EXT", "")
    with started(ours(port), port), TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = checking(port, "all")
        for selection in selections:
            words = ["-k", selection] if selection else []
            began = time.perf_counter()
            subprocess.run(
                [*command, *words, "--json-report", report], cwd=folder, stdout=subprocess.DEVNULL, check=True
            )
            found.append((float(judged(report)), time.perf_counter() - began))
    return found


def plot(curves: dict[str, Curve], path: Path) -> None:
    """One picture with a small plot for each curve, as SVG."""
    from matplotlib import use

    use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(curves), figsize=(4 * len(curves), 3.2), layout="constrained")
    for axis, (name, points) in zip(axes, curves.items(), strict=True):
        axis.plot(*zip(*points, strict=True), marker="o", color="#2f7d4f")
        what, _, unit = name.rpartition(", ")
        axis.set_xlabel(what)
        axis.set_ylabel(unit)
        axis.set_ylim(bottom=0)
        axis.set_xlim(left=0)
        axis.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


@click.command()
@click.option("--plots", type=click.Path(path_type=Path), help="Folder for growth.svg; left out: tables alone.")
@click.option("--smoke", is_flag=True, help="Smallest sizes.")
def main(plots: Path | None, smoke: bool) -> None:
    """Print a Markdown table for each curve, and draw them."""
    curves = {
        **engine_curves(smoke),
        "clients of the mock (128x64, one step), ms a generation": client_curve(smoke),
        "requirements judged (mock), s": check_curve(smoke),
    }
    if plots:
        plot(curves, plots / "growth.svg")
        click.echo("![Cost over pixels, steps, clients and requirements](performance/growth.svg)\n")
    for name, points in curves.items():
        what, _, unit = name.rpartition(", ")
        click.echo(f"| {what} | " + " | ".join(f"{x:g}" if x == int(x) else f"{x:.2f}" for x, _ in points) + " |")
        click.echo("|---" * (len(points) + 1) + "|")
        click.echo(f"| {unit} | " + " | ".join(f"{y:.2f}" for _, y in points) + " |\n")
    click.echo(f"Load at the end: {load()}")


if __name__ == "__main__":
    main()
