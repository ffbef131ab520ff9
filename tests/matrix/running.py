"""Runs the trials, several at a time, each process with servers of its own."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Collection
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context

from local_dream_conformance.core.exchange import Transcript
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import suite
from local_dream_conformance.run.suite import Suite
from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk, entries
from local_dream_mockserver.faults.emulated.releases import personalities
from tests.matrix.matrix import Matrix, load_exceptions
from tests.matrix.remembered import remembering
from tests.matrix.standing import Subject
from tests.matrix.trial import HONEST, Trial, attempt

Report = Callable[[Trial], None]


def default_jobs() -> int:
    """Four times the processors: trials spend most of their time waiting for time-outs and paced steps."""
    return 4 * (os.cpu_count() or 1)


def run_matrix(
    names: Collection[str] | None = None, jobs: int | None = None, report: Report = lambda trial: None
) -> Matrix:
    """Every entry of the catalogue and every release in its first mode (or those named), and the honest server.

    Trials that show a hole are made a second time, one after another, and that counts: some checks judge times, and
    several trials at once make servers slow.
    """
    chosen = {name: entry for name, entry in entries().items() if names is None or name in names}
    others = {name: one for name, one in personalities().items() if (name in names if names else not one.mode)}
    trials: dict[str, Trial] = {}
    first = [*sorted(chosen, key=lambda name: _order(chosen[name])), *others, HONEST]
    for several, waiting in ((jobs or default_jobs(), first), (1, None)):
        found = Matrix(_suite(), chosen, trials, load_exceptions(), others)
        again = [name for name in trials if any(found.own_holes(name))] if waiting is None else waiting
        with ProcessPoolExecutor(several, get_context("spawn"), _prepare) as pool:
            for done in as_completed([pool.submit(_trial, name) for name in again]):
                trial = done.result()
                trials[trial.name] = trial
                report(trial)
    return Matrix(_suite(), chosen, trials, load_exceptions(), others)


def _order(entry: Fault | Quirk) -> tuple[bool, str]:
    """The wire first: its faults make the suite wait for time-outs, and must not come last alone."""
    return entry.layer is not Layer.WIRE, entry.name


def _prepare() -> None:
    """In every process before its first trial."""
    logging.disable(logging.CRITICAL)  # servers that are made to fail say so
    # A run keeps its transcripts in files for other processes. Here are none, and writing takes a third of a trial.
    RunFolder.keep = _keep  # type: ignore[assignment,method-assign]


def _keep(folder: RunFolder, transcript: Transcript) -> Transcript:
    folder._transcripts[transcript.scenario] = transcript
    return transcript


@cache
def _suite() -> Suite:
    return remembering(suite.load())


def _trial(name: str) -> Trial:
    try:
        return attempt(_suite(), _subject(name))
    except Exception:  # one that cannot be made is a hole, and the others are still worth seeing
        return Trial(name, problem=f"the trial raised\n{traceback.format_exc(limit=-3)}")


def _subject(name: str) -> Subject | None:
    if name == HONEST:
        return None
    return personalities()[name] if name in personalities() else entries()[name]
