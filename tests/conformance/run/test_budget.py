"""A budget holds whatever the target accepts, and the plan says what a run can cost at most."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_dream_conformance.core.budget import Budget, Cost
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.spending import spent
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan, suite
from local_dream_conformance.run.runner import Run
from local_dream_conformance.run.worst_case import dry, worst
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from tests.conformance.narrow.server import narrow
from tests.conformance.narrow.spots import GENERATE
from tests.conformance.run.counting import counted
from tests.conformance.run.test_deaths import judge, verdicts
from tests.conformance.scenarios.accepting_server import AcceptingServer, accepting_server
from tests.mockserver.live_server import running

SUITE = suite.load()


@pytest.fixture
def server() -> Iterator[AcceptingServer]:
    with accepting_server() as state:
        yield state


def judged(url: str, folder: Path, profile: str, budget: Budget, **more: object) -> tuple[Run, Settings]:
    """A whole run, judged."""
    settings = Settings(url, profile=profile, budget=budget, **{"upscaler_path": "p", **more})  # type: ignore[arg-type]
    ids = [one.id for group in SUITE.groups(profile).values() for one in group]
    kept = RunFolder(folder)
    kept.begin(url)
    run = Run(SUITE, settings, plan.make(SUITE, ids, settings), kept)
    for id in ids:
        assert run.judge(id).verdict is not Verdict.ERROR, run.judge(id).reason
    return run, settings


@pytest.mark.parametrize("profile", ["core", "hardened", "all"])
@pytest.mark.parametrize("generations", [0, 1, 3, 8, 13])
def test_no_more_is_accepted_than_the_budget_allows(
    server: AcceptingServer, profile: str, generations: int, tmp_path: Path
) -> None:
    run, _ = judged(server.url, tmp_path, profile, Budget(generations, 2))
    assert server.cost.generations <= generations
    assert server.cost.upscales <= 2
    assert spent(run.folder.transcripts()) == server.cost
    reason = run.judge("GEN-TYP-14").reason
    assert run.judge("GEN-TYP-14").verdict is Verdict.UNTESTED
    assert f"--budget generate={generations},upscale=2 is spent" in reason


@pytest.mark.parametrize(
    ("name", "profile", "generations"),
    [
        *(("2.4", "all", 3), ("2.4", "core", 8), ("2.7", "all", 8), ("2.7", "core", 3)),
        *(("mock", "all", 3), ("mock", "core", 8), ("mock", "all", 0)),
    ],
)
def test_no_more_is_accepted_by_servers_that_people_have(
    name: str, profile: str, generations: int, tmp_path: Path
) -> None:
    with counted(name) as (url, counter):
        run, _ = judged(url, tmp_path, profile, Budget(generations, 2), upscaler_path="default")
    assert counter.generations <= generations
    assert counter.upscales <= 2
    assert counter.cost == spent(run.folder.transcripts())


@pytest.mark.parametrize("spare", [0, 1])
def test_looking_into_a_failure_leaves_later_scenarios_what_they_are_planned_to_cost(
    spare: int, tmp_path: Path
) -> None:
    with narrow(GENERATE["accept-stream"][1], "/generate") as url:
        run, _ = judged(url, tmp_path, "core", Budget(8 + spare, 5), upscaler_path="default")
    exchanges = run.folder.exchanges()
    done = [one for one in exchanges.values() if generation(one).complete is not None]
    assert len(done) + 1 == 8 + spare  # one was hung up on
    assert {"base", "defaults/explicit", "strength/low", "overlap/second"} <= exchanges.keys()
    assert run.judge("GEN-EVT-12").verdict is Verdict.PASS


def test_a_budget_of_nothing_sends_nothing_that_could_be_accepted(server: AcceptingServer, tmp_path: Path) -> None:
    run, _ = judged(server.url, tmp_path, "all", Budget(0, 0))
    assert server.done == []
    assert run.judge("HLT-01").verdict is Verdict.PASS
    assert run.judge("SRV-05").verdict is Verdict.UNTESTED


@pytest.mark.parametrize(("profile", "more"), [("core", {}), ("hardened", {}), ("all", {"destructive": True})])
def test_the_worst_case_of_the_plan_is_what_a_server_that_accepts_everything_pays(
    server: AcceptingServer, profile: str, more: dict[str, bool], tmp_path: Path
) -> None:
    run, settings = judged(server.url, tmp_path, profile, Budget(), **more)
    most = worst(run.plan, settings)
    assert server.cost.upscales == most.upscales
    # It is too quick to be asked anything while a generation runs, or to be late after a hang-up, and some bytes are no
    # request to it.
    missed = 1 + 2 if profile == "core" else 1 + 2 + 6
    assert most.generations - missed <= server.cost.generations <= most.generations
    few = worst(run.plan, Settings(server.url, profile=profile, budget=Budget(5, 0)))
    assert few == Cost(5, 0)


def test_the_worst_case_counts_what_is_sent_once_more_where_a_server_is_late_after_a_hang_up(tmp_path: Path) -> None:
    again = {"hang-up/abandoned-again", "hang-up/next-again"}
    settings = Settings("http://127.0.0.1:9", profile="hardened")
    made = dry(plan.make(SUITE, ["ROB-04"], settings), settings).done["hang-up"]
    assert again <= {exchange.label for exchange in made.exchanges}
    refused_meanwhile = 1
    assert spent([made]) == Cost(generations=2 + refused_meanwhile + len(again))
    with counted("hang-up-unnoticed", step=0.05) as (url, counter):
        run, _ = judged(url, tmp_path, "hardened", Budget())
    assert again <= run.folder.exchanges().keys()
    assert counter.cost == Cost(26 + len(again), 0)


@pytest.mark.parametrize("options", [(), ("-n", "3")])
def test_processes_share_one_budget(server: AcceptingServer, options: tuple[str, ...], tmp_path: Path) -> None:
    result, _ = judge(server.url, tmp_path, "--budget", "generate=6,upscale=1", *options)
    assert server.cost == Cost(6, 1)
    assert result["spent"] == {"generations": 6, "upscales": 1}
    assert "GEN-DEF-01" in verdicts(result, "untested")


@pytest.mark.parametrize("profile", ["core", "hardened", "all"])
def test_a_right_server_costs_what_the_plan_says(profile: str, tmp_path: Path) -> None:
    with counted("mock", step=0.02) as (url, counter):
        run, _ = judged(url, tmp_path, profile, Budget(), upscaler_path="default")
    assert counter.cost == spent(run.folder.transcripts())
    of_each = {one.scenario: spent([one]) for one in run.folder.transcripts()}
    planned = {scenario.name: scenario.cost for scenario in run.plan.scenarios}
    if "queue" in planned:  # one of its three is left before it has its turn
        planned["queue"] = Cost(generations=2)
    assert of_each == planned


def test_a_right_server_is_judged_whole_with_as_much_as_the_plan_costs(honest: str, tmp_path: Path) -> None:
    for profile, budget in (("core", "generate=8,upscale=5"), ("hardened", "generate=27,upscale=5")):
        folder = tmp_path / profile
        folder.mkdir()
        result, _ = judge(honest, folder, "--profile", profile, "--budget", budget)
        untested = {one["id"]: one["reason"] for one in result["requirements"] if one["verdict"] == "untested"}
        assert all("--destructive" in reason for reason in untested.values()), untested
        assert (result["exit_code"], verdicts(result, "fail", "warn", "blocked")) == (0, set())


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    with running(create_app(SyntheticEngine(Pacing(first=0, step=0.02)), ServerSettings())) as url:
        yield url
