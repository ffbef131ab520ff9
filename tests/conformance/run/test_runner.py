"""Plans and runs, with the tiny suite against a real server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from local_dream_conformance.core.budget import Budget, Cost, describe
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.evidence.spending import spent
from local_dream_conformance.http.target import Target
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan
from local_dream_conformance.run.runner import Run
from local_dream_conformance.run.suite import Suite
from local_dream_conformance.scenarios.scenario import Scenario
from tests.conformance import tiny_suite
from tests.conformance.tiny_server import TinyServer, tiny_server

SUITE = tiny_suite.suite()
SETTINGS = Settings("http://127.0.0.1:9", upscaler_path="x")
EVERYTHING = [requirement.id for requirement in SUITE.contract.requirements if not requirement.unjudged]


@pytest.fixture
def server() -> Iterator[TinyServer]:
    with tiny_server() as server:
        yield server


def names(made: plan.Plan) -> list[str]:
    return [scenario.name for scenario in made.scenarios]


def begun(
    server: TinyServer, folder: Path, suite: Suite = SUITE, ids: list[str] = EVERYTHING, settings: Settings = SETTINGS
) -> Run:
    shared = RunFolder(folder)
    shared.begin(server.url)
    return Run(suite, settings, plan.make(suite, ids, settings), shared)


def with_probe(name: str, scenario: Scenario) -> Suite:
    return replace(SUITE, scenarios={**SUITE.scenarios, name: scenario})


def test_a_plan_keeps_the_order_of_the_probes_but_for_what_must_run_before() -> None:
    made = plan.make(SUITE, EVERYTHING, SETTINGS)
    assert names(made) == ["health", "upscale", "base", "more"]
    assert made.cost == Cost(3, 1)


@pytest.mark.parametrize(
    ("id", "scenarios"),
    [
        ("TINY-HLT-01", ["health"]),
        ("TINY-GEN-02", ["base"]),
        ("TINY-GEN-04", ["base"]),
        ("TINY-GEN-07", ["base", "more"]),
    ],
)
def test_a_plan_has_only_what_the_requirements_need(id: str, scenarios: list[str]) -> None:
    assert names(plan.make(SUITE, [id], SETTINGS)) == scenarios


@pytest.mark.parametrize(
    ("budget", "scenarios", "over"),
    [
        (Budget(), ["health", "upscale", "base", "more"], []),
        (Budget(3, 1), ["health", "upscale", "base", "more"], []),
        (Budget(2), ["health", "upscale", "base"], ["more"]),
        (Budget(0), ["health", "upscale"], ["base", "more"]),
        (Budget(None, 0), ["health", "base", "more"], ["upscale"]),
    ],
)
def test_a_budget_leaves_probes_out(budget: Budget, scenarios: list[str], over: list[str]) -> None:
    made = plan.make(SUITE, EVERYTHING, replace(SETTINGS, budget=budget))
    assert names(made) == scenarios
    assert list(made.over_budget) == over
    assert budget.allows(made.cost)


def test_what_follows_a_probe_over_budget_is_not_made() -> None:
    suite = with_probe("more", replace(SUITE.scenarios["more"], cost=Cost()))
    made = plan.make(suite, EVERYTHING, replace(SETTINGS, budget=Budget(0)))
    assert made.over_budget["more"] == "it follows the scenario base, which is over budget"


def test_what_follows_an_unavailable_probe_is_made() -> None:
    suite = with_probe("base", replace(SUITE.scenarios["base"], available=lambda settings: "not today"))
    made = plan.make(suite, EVERYTHING, SETTINGS)
    assert made.unavailable == {"base": "not today"}
    assert "more" in made


def test_probes_that_wait_for_each_other_are_refused() -> None:
    suite = with_probe("base", replace(SUITE.scenarios["base"], after=("more",)))
    with pytest.raises(ValueError, match="scenarios wait for each other: more after base after more"):
        plan.make(suite, EVERYTHING, SETTINGS)


def test_costs_in_words() -> None:
    assert [describe(cost) for cost in (Cost(), Cost(1), Cost(0, 2), Cost(2, 1))] == [
        "nothing",
        "1 generation",
        "2 upscales",
        "2 generations and 1 upscale",
    ]


def test_each_probe_is_made_once_and_in_the_order_of_the_plan(server: TinyServer, tmp_path: Path) -> None:
    first = begun(server, tmp_path)
    assert first.judge("TINY-GEN-07").verdict is Verdict.PASS
    for id in EVERYTHING:
        first.judge(id)
    assert server.asked == ["GET /health", "POST /upscale", "POST /generate", "POST /generate", "POST /generate"]
    transcripts = RunFolder(tmp_path).transcripts()
    assert [transcript.scenario for transcript in transcripts] == ["health", "upscale", "base", "more"]
    assert spent(transcripts) == Cost(3, 1)


def test_processes_of_a_run_share_their_transcripts(server: TinyServer, tmp_path: Path) -> None:
    runs = [begun(server, tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(lambda one: [one.judge(id).verdict for id in EVERYTHING], runs))
    assert verdicts == [[Verdict.PASS] * len(EVERYTHING)] * 4
    assert len(server.asked) == 5


def test_a_check_over_all_answers_sees_those_of_the_whole_plan(server: TinyServer, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = begun(server, tmp_path / "whole")
    assert whole.judge("TINY-GEN-04").evidence == ("base", "more/one", "more/two")
    (tmp_path / "part").mkdir()
    part = begun(server, tmp_path / "part", ids=["TINY-GEN-04"])
    assert part.judge("TINY-GEN-04").evidence == ("base",)


def test_a_probe_that_raises_is_made_once_and_is_the_fault_of_the_suite(server: TinyServer, tmp_path: Path) -> None:
    calls = []

    def fails(target: Target) -> Iterable[Exchange]:
        calls.append(target)
        yield tiny_suite.ask(target, "base", "POST", "/generate", b"{}")
        raise ZeroDivisionError

    suite = with_probe("base", replace(SUITE.scenarios["base"], run=fails))
    first, second = begun(server, tmp_path, suite), begun(server, tmp_path, suite)
    for judged in (first.judge("TINY-GEN-01"), first.judge("TINY-GEN-03"), second.judge("TINY-GEN-01")):
        assert judged.verdict is Verdict.ERROR
        assert "ZeroDivisionError" in judged.reason
    follower = second.judge("TINY-GEN-07")
    assert (follower.verdict, "more follows base, which raised" in follower.reason) == (Verdict.ERROR, True)
    assert second.judge("TINY-HLT-01").verdict is Verdict.PASS
    assert len(calls) == 1


@pytest.mark.parametrize("labels", [("base", "base"), ("other",), ("based",)])
def test_labels_are_unique_and_name_their_probe(server: TinyServer, tmp_path: Path, labels: tuple[str, ...]) -> None:
    def mislabels(target: Target) -> Iterable[Exchange]:
        return [tiny_suite.ask(target, label, "POST", "/generate", b"{}") for label in labels]

    suite = with_probe("base", replace(SUITE.scenarios["base"], run=mislabels))
    assert begun(server, tmp_path, suite).judge("TINY-GEN-01").verdict is Verdict.ERROR


def test_a_check_of_a_probe_that_the_plan_lacks_is_an_error(server: TinyServer, tmp_path: Path) -> None:
    assert begun(server, tmp_path, ids=["TINY-HLT-01"]).judge("TINY-GEN-01").verdict is Verdict.ERROR


def test_without_budget_or_capability_nothing_is_asked(server: TinyServer, tmp_path: Path) -> None:
    settings = Settings("http://127.0.0.1:9", budget=Budget(0, 0))
    one = begun(server, tmp_path, settings=settings)
    assert one.judge("TINY-GEN-01").verdict is Verdict.UNTESTED
    assert one.judge("TINY-UPS-01").verdict is Verdict.NOT_APPLICABLE
    assert server.asked == []
