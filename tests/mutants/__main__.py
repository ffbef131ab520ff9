"""`python -m tests.mutants`: has the suite judge every mutant, and writes docs/mutants.md and docs/mutants.json.

With `--mechanical` the mutants are those that a tool made, and the files are called mutants-mechanical.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from hashlib import sha256
from multiprocessing import get_context

import click

from tests.examples.servers import EXAMPLES
from tests.mutants.documents import HAND_MADE, MECHANICAL
from tests.mutants.mutant import DoesNotFit, Mutant
from tests.mutants.trial import Outcome, Trial, attempt


@click.command()
@click.option("--server", "servers", multiple=True, type=click.Choice(list(EXAMPLES)), help="Only this one's; repeat.")
@click.option("--only", "names", multiple=True, metavar="NAME", help="Only mutants with this in their name; repeat.")
@click.option("--mechanical", is_flag=True, help="Those that a tool made, in place of those made by hand.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=1), help="Mutants at a time.")
@click.option("--new", is_flag=True, help="Only mutants that the documents do not tell of yet.")
@click.option("--write", is_flag=True, help="Only write the documents anew, by what the catalogue says now.")
@click.option("--fit", is_flag=True, help="Only see whether every change fits its source.")
def main(
    servers: tuple[str, ...], names: tuple[str, ...], mechanical: bool, jobs: int, new: bool, write: bool, fit: bool
) -> None:
    """Run the suite against every mutant. The documents keep what they say of others."""
    documents = MECHANICAL if mechanical else HAND_MADE
    if write:
        return documents.write(documents.earlier())
    chosen = {
        name: mutant
        for name, mutant in documents.catalogue().items()
        if (not servers or mutant.server in servers) and (not names or any(part in name for part in names))
    }
    if new:
        tried = documents.earlier()
        chosen = {name: mutant for name, mutant in chosen.items() if name not in tried}
    if not chosen:
        raise click.UsageError("no such mutant")
    try:
        for mutant in chosen.values():
            mutant.check_fit()
    except DoesNotFit as problem:
        raise click.ClickException(str(problem)) from problem
    if fit:
        return None
    for server in {mutant.server for mutant in chosen.values()}:
        if missing := EXAMPLES[server].missing():
            raise click.ClickException(f"{server} needs {missing}")
    began = time.monotonic()
    trials: list[Trial] = []
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:  # a first run in a process takes three times as long
        waiting = {pool.submit(attempt, mutant): mutant for mutant in by_turns(chosen.values())}
        for done in as_completed(waiting):
            trials.append(trial := outcome_of(done, waiting[done]))
            found = ", ".join(trial.found) or trial.problem
            click.echo(f"{trial.seconds:6.1f} s  {trial.outcome.value:12}  {trial.name}  {found}")
            if not isinstance(done.exception(), BrokenProcessPool):  # nobody has tried those that come after that
                documents.keep(trial)
    click.echo(f"{summary(trials)}; {time.monotonic() - began:.0f} s")
    sys.exit(any(trial.outcome is Outcome.BROKEN for trial in trials))


def summary(trials: Collection[Trial]) -> str:
    counts = Counter(trial.outcome for trial in trials)
    return f"{len(trials)} mutants: " + ", ".join(f"{counts[one]} {one.value}" for one in Outcome if counts[one])


def outcome_of(done: Future[Trial], mutant: Mutant) -> Trial:
    """What came of a mutant; a broken trial where its process died or raised, which costs the others nothing."""
    if error := done.exception():
        return Trial(mutant.name, Outcome.BROKEN, problem=f"{type(error).__name__}: {error}"[-500:])
    return done.result()


def by_turns(chosen: Iterable[Mutant]) -> list[Mutant]:
    """In an order of their own that mixes servers, so that a run that is cut short says something of each."""
    return sorted(chosen, key=lambda mutant: sha256(mutant.name.encode()).digest())


if __name__ == "__main__":
    main()
