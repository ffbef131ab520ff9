"""Without --destructive nothing is sent that is known to have killed a server, whatever the server does: every request
of whole runs is held against a table of what has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.core.budget import Budget
from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.core.extension import Declared
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.connection import Connection
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan, suite
from local_dream_conformance.run.runner import Run
from local_dream_conformance.scenarios.destructive import DANGERS
from local_dream_mockserver.faults.catalogue import entries
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from tests.conformance.narrow.server import narrow
from tests.conformance.narrow.spots import GENERATE
from tests.conformance.scenarios.accepting_server import accepting_server
from tests.conformance.scenarios.killers import KILLERS
from tests.conformance.scenarios.refusing_server import RefusingServer, refusing_server
from tests.matrix.standing import serving, standing

SUITE = suite.load()
Place = Callable[[], AbstractContextManager[str]]


@contextmanager
def accepting() -> Iterator[str]:
    with accepting_server() as state:
        yield state.url


@contextmanager
def refusing(status: int) -> Iterator[str]:
    with refusing_server(RefusingServer(refuses=lambda asked: status)) as state:
        yield state.url


@contextmanager
def personality(name: str) -> Iterator[str]:
    with standing(personalities()[name]) as (url, _):
        yield url


def honest(step: float) -> AbstractContextManager[str]:
    return serving(create_app(SyntheticEngine(Pacing(first=step, step=step))))


def narrow_at(name: str) -> AbstractContextManager[str]:
    return narrow(GENERATE[name][1], "/generate")


PLACES: dict[str, Place] = {
    "a right server": partial(honest, 0.01),
    "one that accepts everything": accepting,
    "one that refuses everything": partial(refusing, 400),
    "one that fails always": partial(refusing, 500),
    "one without upright pictures": partial(narrow_at, "tall"),
    "one that makes multiples of 64 alone": partial(narrow_at, "not-a-multiple-of-64"),
    "one without masks as JPEG": partial(narrow_at, "mask-jpeg"),
    "2.4": partial(personality, "2.4"),
    "2.7": partial(personality, "2.7"),
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """Everything that the suite sends, in the order in which it came to an end."""
    made: list[Exchange] = []
    exchange = Connection.exchange

    def listening(self: Connection, *given: Any, **more: Any) -> Exchange:
        made.append(exchange(self, *given, **more))
        return made[-1]

    monkeypatch.setattr(Connection, "exchange", listening)
    return made


def judged(url: str, folder: Path, **more: Any) -> None:
    extensions = (Declared("schedulers", ("euler", "lcm")), Declared("prompt_weights"))
    settings = Settings(url, profile="all", upscaler_path="default", extensions=extensions, **more)
    ids = [one.id for group in SUITE.groups("all").values() for one in group]
    kept = RunFolder(folder)
    kept.begin(url)
    run = Run(SUITE, settings, plan.make(SUITE, ids, settings), kept)
    for id in ids:
        run.judge(id)


def found(sent: list[Exchange]) -> dict[str, list[str]]:
    """The labels of what has killed servers, by what it is."""
    ordered = sorted(sent, key=lambda exchange: exchange.started)
    return {killer.what: labels for killer in KILLERS if (labels := list(killer.found(ordered)))}


@pytest.mark.parametrize("name", PLACES)
def test_nothing_that_has_killed_servers_is_sent_unasked(name: str, sent: list[Exchange], tmp_path: Path) -> None:
    with PLACES[name]() as url:
        judged(url, tmp_path, idle_timeout=20.0)
    assert len(sent) > 50
    assert found(sent) == {}


def test_a_generation_that_runs_when_the_budget_is_spent_is_let_finish(sent: list[Exchange], tmp_path: Path) -> None:
    with standing(entries()["json-tail-ignored"]) as (url, _):  # one more than planned is accepted
        judged(url, tmp_path, idle_timeout=20.0, budget=Budget(8, 0))
    labels = {one.label: one for one in sent}
    assert "overlap/second" not in labels
    assert labels["overlap/first"].end is End.COMPLETE
    assert found(sent) == {}


def test_with_destructive_all_of_it_is_sent(sent: list[Exchange], tmp_path: Path) -> None:
    with accepting() as url:
        judged(url, tmp_path, idle_timeout=20.0, destructive=True)
    labels = {label for those in found(sent).values() for label in those}
    assert {danger.label for danger in DANGERS} <= labels
    assert all(label.startswith("destructive/") for label in labels)
