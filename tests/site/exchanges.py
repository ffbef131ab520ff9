"""For every requirement an exchange that holds it and one that breaks it: from the honest mock, and with a fault."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.contract import Requirement
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.verdict import Finding, Judgement
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan
from local_dream_conformance.run.runner import Run
from local_dream_conformance.run.suite import Suite, load
from local_dream_mockserver.faults.catalogue import Fault, entries
from tests.matrix.expectations import expected_of
from tests.matrix.standing import controlled
from tests.matrix.trial import BROKEN, GIVEN, settings_of

SEED = 7
"""From which servers draw the seeds that they pick, so that chapters made again are the same."""


@dataclass(frozen=True)
class Wrong:
    """A fault that breaks a requirement, and how it looks."""

    fault: Fault
    finding: Finding
    exchange: Exchange


@dataclass(frozen=True)
class Pair:
    """The two exchanges of a requirement; each may be missing where no exchange shows it."""

    right: Exchange | None
    wrong: Wrong | None


class Pairs:
    """Runs the suite, on real ports, as far as each requirement needs."""

    def __init__(self) -> None:
        self.suite: Suite = load()

    def of(self, requirement: Requirement) -> Pair:
        """The exchanges of a requirement: the honest one is that of the same request, where there is one."""
        wrong = self.wrong(requirement)
        labels = (*((wrong.exchange.label,) if wrong else ()), *self._evidence.get(requirement.id, ()))
        return Pair(next((self._exchanges[label] for label in labels if label in self._exchanges), None), wrong)

    def wrong(self, requirement: Requirement) -> Wrong | None:
        """The first fault of the catalogue that is seen in an exchange of the requirement's check."""
        for entry in entries().values():
            if isinstance(entry, Fault) and requirement.id in entry.breaks:
                with _run(self.suite, entry, [requirement.id]) as run:
                    found = _seen(entry, run.judge(requirement.id), _exchanges(run))
                if found is not None:
                    return found
        return None

    @cached_property
    def _honest(self) -> tuple[dict[str, Exchange], dict[str, tuple[str, ...]]]:
        ids = [requirement.id for group in self.suite.groups("all").values() for requirement in group]
        with _run(self.suite, None, ids) as run:
            evidence = {id: run.judge(id).evidence for id in ids}
            return _exchanges(run), evidence

    @property
    def _exchanges(self) -> dict[str, Exchange]:
        return self._honest[0]

    @property
    def _evidence(self) -> dict[str, tuple[str, ...]]:
        return self._honest[1]


def _seen(fault: Fault, judgement: Judgement, exchanges: dict[str, Exchange]) -> Wrong | None:
    if judgement.verdict in BROKEN:
        for finding in judgement.findings:
            if finding.exchange in exchanges:
                return Wrong(fault, finding, exchanges[finding.exchange])
    return None


def _exchanges(run: Run) -> dict[str, Exchange]:
    """All of a run, with the bodies that lie in its folder, which goes with it."""
    made = [exchange for transcript in run.folder.transcripts() for exchange in transcript.exchanges]
    return {exchange.label: replace(exchange, reads=tuple(exchange.reads)) for exchange in made}


@contextmanager
def _run(suite: Suite, fault: Fault | None, ids: list[str]) -> Iterator[Run]:
    """A run of what these requirements need, against a server that stands while it lasts."""
    with controlled(fault, seed=SEED) as (url, _, control), tempfile.TemporaryDirectory() as text:
        given = {**GIVEN, **settings_of(fault), **(expected_of(fault.name).options if fault else {}), "profile": "all"}
        if control is not None:
            given["control-url"] = control
        settings = settings_sources.resolve(url, given, {}, {}, "")
        folder = RunFolder(Path(text))
        folder.begin(url)
        yield Run(suite, settings, plan.make(suite, ids, settings), folder)
