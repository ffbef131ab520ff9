"""The bound that a run prints at its start, and holds."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.errors import NotSent
from local_dream_conformance.core.exchange import Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.patience import Kind
from local_dream_conformance.http.target import Target
from local_dream_conformance.run import plan, suite
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.run.time_bound import TimeBound, bound
from local_dream_conformance.run.worst_case import dry
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from tests.conformance.judging import ROOT
from tests.matrix.standing import serving

SETTINGS = Settings("http://127.0.0.1:9", upscaler_path="default")
LOADED = suite.load()
NOTHING: dict[str, Transcript] = {}
OWN = Plan((Scenario("own", Cost(), lambda target: ()),))


def core(settings: Settings) -> Plan:
    return plan.make(LOADED, [one.id for group in LOADED.groups("core").values() for one in group], settings)


def test_it_counts_what_is_asked_and_follows_the_limits() -> None:
    usual = bound(core(SETTINGS), SETTINGS)
    quick = bound(core(SETTINGS), replace(SETTINGS, total_timeout=90.0))
    assert quick.ends_by < usual.ends_by < math.inf
    few = plan.make(LOADED, ["HLT-01"], SETTINGS)
    assert bound(few, SETTINGS).asks_until < usual.asks_until / 10


@pytest.mark.parametrize(("seconds", "said"), [(900.0, "15 h"), (300.0, "6 h"), (120.0, "3 h")])
def test_it_is_what_the_page_says(seconds: float, said: str) -> None:
    settings = replace(SETTINGS, total_timeout=seconds)
    assert f"at most {said}," in bound(core(settings), settings).words
    page = (ROOT / "docs" / "time.md").read_text(encoding="utf-8")
    assert f"{said}" in page.partition("A run says at its start")[2].partition("With `--max-duration`")[0]
    assert f"the {dry(core(SETTINGS), SETTINGS).asked[Kind.REFUSAL]} wrong requests of core" in page


def test_max_duration_leaves_time_for_the_last_answer_alone() -> None:
    settings = replace(SETTINGS, max_duration=600.0)
    found = bound(core(settings), settings)
    assert found.asks_until == 600
    assert 600 + settings.total_timeout < found.ends_by < 600 + settings.total_timeout + 150


def test_of_scenarios_of_ones_own_nothing_is_known() -> None:
    assert bound(OWN, SETTINGS) == TimeBound(math.inf, math.inf)
    assert "--max-duration sets one" in bound(OWN, SETTINGS).words
    assert bound(OWN, replace(SETTINGS, max_duration=60.0)).asks_until == 60


@pytest.mark.parametrize(
    ("seconds", "said"), [(3.2, "4 s"), (119.1, "2 min"), (120.5, "3 min"), (7200.5, "3 h"), (7200.0, "2 h")]
)
def test_it_is_rounded_up(seconds: float, said: str) -> None:
    assert TimeBound(0, seconds).words.startswith(f"time: at most {said},")


def test_nothing_is_sent_after_it() -> None:
    with serving(create_app(SyntheticEngine(Pacing(first=0, step=0)))) as url:
        target = Target(Settings(url), NOTHING.__getitem__, cost_of=lambda exchange: Cost(), asks_until=0.0)
        with pytest.raises(NotSent, match="all that the plan can take"):
            target.send("health", requests.HEALTH)
        target = Target(
            Settings(url),
            NOTHING.__getitem__,
            cost_of=lambda exchange: Cost(),
            clock=time.monotonic(),
            asks_until=600.0,
        )
        assert target.send("health", requests.HEALTH).status == 200


@pytest.mark.parametrize("options", [(), ("--plan",)])
def test_it_is_said_at_the_start(options: tuple[str, ...]) -> None:
    with serving(create_app(SyntheticEngine(Pacing(first=0, step=0)))) as url:
        command = [sys.executable, "-c", "from local_dream_conformance.cli import main; main()", "check", url, *options]
        said = subprocess.run([*command, "-k", "HLT-01"], capture_output=True, text=True, check=False).stdout
    lines = said.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("plan:"))
    assert re.fullmatch(
        r"time: at most [0-9]+ (s|min|h), if every answer takes as long as it may, .*", lines[place + 1]
    )


@pytest.mark.parametrize("profile", ["core", "hardened", "all"])
def test_our_own_server_has_a_bound_before_it_has_an_address(profile: str) -> None:
    settings = Settings("mock", profile=profile)
    ids = [requirement.id for group in LOADED.groups(profile).values() for requirement in group]
    assert bound(plan.make(LOADED, ids, settings), settings).asks_until > 0
