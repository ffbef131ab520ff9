"""`python -m tests.matrix`: runs the matrix, writes docs/detection.md and docs/detection.json, fails on any hole."""

from __future__ import annotations

import sys
import time

import click

from local_dream_mockserver.faults.catalogue import entries
from local_dream_mockserver.faults.emulated.releases import personalities
from tests.matrix import report
from tests.matrix.running import default_jobs, run_matrix
from tests.matrix.trial import Trial


@click.command()
@click.option("--jobs", default=default_jobs(), show_default=True, type=click.IntRange(min=1), help="Trials at a time.")
@click.option("--only", "names", multiple=True, metavar="NAME", help="Only this fault, quirk or personality; repeat.")
@click.option("--check", is_flag=True, help="Do not write the documents; fail where they would change.")
@click.option("-v", "--verbose", is_flag=True, help="Say of each trial how long it took.")
def main(jobs: int, names: tuple[str, ...], check: bool, verbose: bool) -> None:
    """Run the suite against every fault and every quirk."""
    if unknown := set(names) - {*entries(), *personalities()}:
        raise click.UsageError(f"no such fault, quirk or personality: {', '.join(sorted(unknown))}")
    began = time.monotonic()

    def say(trial: Trial) -> None:
        if verbose:
            click.echo(f"{trial.seconds:6.1f} s  {trial.name} (served {trial.applied} times)")

    matrix = run_matrix(names or None, jobs, say)
    holes = [hole for hole in matrix.holes() if not names or any(name in hole.split(":")[0] for name in names)]
    for hole in holes:
        click.echo(hole)
    click.echo(f"{report.summary(matrix)}; {len(holes)} holes; {time.monotonic() - began:.0f} s")
    stale = False
    for path, text in {} if names else report.files(matrix).items():
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                click.echo(f"{path.name} is not up to date; run python -m tests.matrix")
                stale = True
        else:
            path.write_text(text, encoding="utf-8")
    sys.exit(bool(holes or stale))


if __name__ == "__main__":
    main()
