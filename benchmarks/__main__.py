"""``python -m benchmarks`` runs every measurement and writes docs/performance.md; ``--smoke`` only shows that they run.

Each part is a command of its own which prints Markdown (``python -m benchmarks.suite``); they run one after another, in
processes of their own, so that none is measured with what another left behind.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import click

from benchmarks.machine import cpu, load

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/performance.md"
PLOTS = ROOT / "docs/performance"
PARTS: dict[str, tuple[str, list[str], list[str]]] = {
    "engine": ("The reference engine", [], ["--sides", "64", "--steps", "2", "--repeats", "1", "--no-upscale"]),
    "checkpoints": (
        "Checkpoints that people have",
        [],
        ["--kinds", "v1", "--side", "64", "--steps", "2", "--narrow", "10", "--runtimes", "torch"],
    ),
    "upscaling": ("The upscaler", ["--repeats", "3"], ["--sides", "32", "--repeats", "1"]),
    "servers": ("The mock server, beside others", [], ["--seconds", "0.3", "--rounds", "1"]),
    "suite": ("The suite", [], ["--profiles", "core", "--rounds", "1"]),
    "growth": ("How cost grows", ["--plots", str(PLOTS)], ["--smoke"]),
    "replicas": ("More machines", [], ["--replicas", "1", "--each", "2", "--pace", "0.01"]),
}
"""Title of each part, its options, and those with which it takes seconds."""
HEAD = """# Performance

Made by `python -m benchmarks`. Each part has its machine, its day and its load before.
Other machines give other times; the ratios were measured side by side in one run, and are what to look at.
No test looks at a time.
"""


@click.command()
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(PARTS)),
    help="May be repeated; the others stay as they are on the page.",
)
@click.option("--smoke", is_flag=True, help="Smallest sizes, and no page: shows that every part runs.")
@click.option("--peers", type=click.Path(path_type=Path, exists=True), help="Folder with Prism and Mockoon from npm.")
def main(only: tuple[str, ...], smoke: bool, peers: Path | None) -> None:
    """Measure, and write docs/performance.md."""
    python = ".".join(map(str, sys.version_info[:3]))
    machine = f"{cpu()}, {os.cpu_count()} cores, Python {python}"
    sections = {} if smoke or not only else written(PAGE)
    for name in only or PARTS:
        title, options, smallest = PARTS[name]
        command = [sys.executable, "-m", f"benchmarks.{name}", *(smallest if smoke else options)]
        command += ["--peers", str(peers)] if peers and name == "servers" else []
        click.echo(f"{name}: {' '.join(command[1:])}", err=True)
        before = load()
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise click.ClickException(f"{name} ended with {done.returncode}")
        sections[title] = f"{machine}; {date.today()}, load {before} before.\n\n{done.stdout.strip()}"
    ordered = [title for title, _, _ in PARTS.values() if title in sections]
    text = "\n".join([HEAD, *(f"## {title}\n\n{sections[title]}\n" for title in ordered)])
    if smoke:
        click.echo(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        click.echo(str(PAGE.relative_to(ROOT)))


def written(page: Path) -> dict[str, str]:
    """The sections of a page by their titles; none where there is no page."""
    parts = page.read_text(encoding="utf-8").split("\n## ")[1:] if page.exists() else []
    return {title: text.strip() for title, _, text in (part.partition("\n") for part in parts)}


if __name__ == "__main__":
    main()
