"""Runs the trials, several at a time, each process with servers of its own."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Collection
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context

from conformance import suite
from conformance.suite import Suite
from mockserver.faults.catalogue import Fault, Layer, Quirk, entries
from tests.matrix.matrix import Matrix, load_exceptions
from tests.matrix.remembered import remembering
from tests.matrix.trial import HONEST, Trial, attempt

Report = Callable[[Trial], None]


def default_jobs() -> int:
    """Twice the processors: trials spend half of their time waiting for time-outs and paced steps."""
    return 2 * (os.cpu_count() or 1)


def run_matrix(
    names: Collection[str] | None = None, jobs: int | None = None, report: Report = lambda trial: None
) -> Matrix:
    """Every entry of the catalogue (or those named), and the honest server."""
    chosen = {name: entry for name, entry in entries().items() if names is None or name in names}
    trials = {}
    with ProcessPoolExecutor(jobs or default_jobs(), get_context("spawn"), _quiet) as pool:
        waiting = [pool.submit(_trial, name) for name in (*sorted(chosen, key=lambda n: _order(chosen[n])), HONEST)]
        for done in as_completed(waiting):
            trial = done.result()
            trials[trial.name] = trial
            report(trial)
    return Matrix(_suite(), chosen, trials, load_exceptions())


def _order(entry: Fault | Quirk) -> tuple[bool, str]:
    """The wire first: its faults make the suite wait for time-outs, and must not come last alone."""
    return entry.layer is not Layer.WIRE, entry.name


def _quiet() -> None:
    logging.disable(logging.CRITICAL)  # servers that are made to fail say so


@cache
def _suite() -> Suite:
    return remembering(suite.load())


def _trial(name: str) -> Trial:
    try:
        return attempt(_suite(), None if name == HONEST else entries()[name])
    except Exception:  # one that cannot be made is a hole, and the others are still worth seeing
        return Trial(name, problem=f"the trial raised\n{traceback.format_exc(limit=-3)}")
