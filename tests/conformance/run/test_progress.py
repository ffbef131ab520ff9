"""Progress: what is reckoned, and what a terminal shows of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.run.eta import Eta, Prospect
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from tests.conformance.run import screen as terminal
from tests.matrix.standing import serving

SETTINGS = Settings("http://127.0.0.1:9", size=(64, 64), steps=10)
QUICK, BASE, BIG, LAST = (
    Scenario("quick", Cost(), lambda target: ()),
    Scenario("base", Cost(generations=1), lambda target: ()),
    Scenario("big", Cost(generations=2), lambda target: (), work=lambda settings: 40 * 64 * 64),
    Scenario("last", Cost(generations=1), lambda target: ()),
)


def progress(step: int, total: int) -> bytes:
    return b'event: progress\ndata: {"type":"progress", "step":%d,"total_steps" : %d}\n\n' % (step, total)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_follows_from_the_speed_of_the_target() -> None:
    clock = Clock()
    pace = Eta((QUICK, BASE, BIG, LAST), SETTINGS, clock)
    pace.begin(QUICK)
    assert (pace.left(), pace.words()[0]) == (None, "scenario 1 of 4: quick")
    clock.now = 1
    pace.end()
    assert pace.sum() == "scenario 1 of 4: quick, 0 requests, 1.0 s"
    pace.begin(BASE)
    pace.ask("base")
    assert pace.words()[0] == "scenario 2 of 4: base, waiting 0 s"
    clock.now = 2
    assert pace.on_data(1, progress(1, 10))
    assert pace.left() is None  # it may be the silence before the work, and it may be the first step
    clock.now = 6
    assert pace.on_data(1, progress(5, 10))
    assert pace.left() == 55  # a second for each of the 5 + 40 + 10 steps that are left, no silence before them
    assert pace.words() == (
        "scenario 2 of 4: base, waiting 5 s, step 5 of 10, about 55 s of generating left",
        "2/4 base, 5 s, step 5/10, 55 s left",
        "2/4 base, 5 s, step 5/10",
        "2/4 base, 5 s",
        "2/4 base",
    )
    clock.now = 11
    pace.on_data(1, progress(10, 10))
    pace.end()
    assert pace.sum() == "scenario 2 of 4: base, 1 request, 10.0 s, about 50 s of generating left"
    pace.begin(BIG)
    pace.ask("big")
    clock.now = 31
    pace.on_data(2, progress(5, 10))  # after 20 s, of which the five steps that it tells of, of 20, are 10
    assert pace.left() == 10 + (10 + 20) + (10 + 10)
    pace.end()
    pace.begin(LAST)
    pace.ask("last")
    clock.now = 10_000
    pace.on_data(4, progress(1, 10))
    assert pace.left() == 9


def test_a_wait_before_the_first_step_counts_once_a_generation() -> None:
    clock = Clock()
    pace = Eta((BASE, BIG), SETTINGS, clock)
    pace.begin(BASE)
    pace.ask("base")
    clock.now = 100  # a model is loaded
    pace.on_data(1, progress(1, 10))
    clock.now = 101
    pace.on_data(1, progress(6, 10))
    # 4 + 40 steps at a fifth of a second, and two waits of a hundred seconds less one step
    assert pace.left() == pytest.approx(44 * 0.2 + 2 * 99.8)


def test_silence_before_the_first_event_counts_once_for_a_generation() -> None:
    clock = Clock()
    pace = Eta((BASE, BIG, LAST), SETTINGS, clock)
    pace.begin(BASE)
    pace.ask("base")
    for step in range(1, 11):
        clock.now = 100 + step
        pace.on_data(1, progress(step, 10))
    pace.end()
    assert pace.left() == 3 * 100 + 50  # not (110 s for 10 steps) * 50 steps
    pace.begin(BIG)
    pace.ask("big")
    clock.now += 60
    assert pace.left() == 3 * 100 + 50 - 60
    clock.now += 1000
    assert pace.left() == 2 * 100 + 50  # what was awaited in vain is not awaited twice


def test_a_generation_told_of_in_one_event_is_taken_as_one_silence() -> None:
    clock = Clock()
    pace = Eta((BASE, LAST), SETTINGS, clock)
    pace.begin(BASE)
    pace.ask("base")
    clock.now = 7
    pace.on_data(1, progress(10, 10))
    pace.end()
    assert pace.left() == 7


def test_what_will_not_be_asked_any_more_is_not_left() -> None:
    clock = Clock()
    pace = Eta((BASE, BIG, LAST), SETTINGS, clock)
    pace.begin(BASE)
    pace.ask("base")
    clock.now = 100
    pace.on_data(1, progress(9, 10))
    clock.now = 101
    pace.on_data(1, progress(10, 10))
    pace.end()
    pace.prospect = lambda: Prospect(stalls=1, patience=30)
    assert pace.left() == 30
    pace.prospect = lambda: Prospect(stalls=0, patience=30)
    assert pace.left() == 0
    assert "left" not in pace.sum()


def test_what_is_no_progress_is_not_heard() -> None:
    pace = Eta((BASE,), SETTINGS)
    pace.begin(BASE)
    assert not pace.on_data(1, b'{"step": 1}')
    assert not pace.on_data(1, b"\xff\xd8")
    assert pace.left() is None
    pace.on_data(1, progress(5, 0))
    assert pace.left() is None


def told(line: str) -> bool:
    return re.search(r"(scenario 1 of 1: |1/1 )base", line) is not None


@pytest.fixture(scope="module")
def slow_mock() -> Iterator[str]:
    with serving(create_app(SyntheticEngine(Pacing(first=0.2, step=0.2)))) as url:
        yield url


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        (
            200,
            (),
            r"\[scenario 1 of 1: base, waiting [0-9]+ s, step [1-4] of 4(, about [0-9]+ s of generating left)?\]",
        ),
        (40, (), r"^(1/1 base, [0-9]+ s, step [1-4]/4|scenario 1 of 1: base, waiting)"),
        (25, ("-v",), r"^1/1 base, [0-9]+ s"),
        (80, ("-s",), r"1 of 1: base, waiting [0-9]+ s|1/1 base, [0-9]+ s"),
        (80, ("--capture=sys",), r"1 of 1: base, waiting [0-9]+ s|1/1 base, [0-9]+ s"),
        (80, ("--capture=tee-sys", "-q"), r"1 of 1: base, waiting [0-9]+ s|1/1 base, [0-9]+ s"),
    ],
)
def test_a_terminal_of_any_width_shows_what_is_asked_on_one_line(
    slow_mock: str, columns: int, options: tuple[str, ...], said: str
) -> None:
    screen = terminal.run(columns, slow_mock, "-k", "GEN-EVT-05", *options)
    shown = [line for line in screen.seen if told(line)]
    assert any(re.search(said, line) for line in shown), sorted(shown)
    assert all(len(line) <= columns for line in shown)
    # One line: each gave its place to the next, and nothing of them is left.
    assert not any(told(line) for line in screen.lines)
    assert any("CONFORMANT" in line for line in screen.lines)
    # What pytest had written stands as it stood.
    assert "-q" in options or re.search(r"generate_progress\.py(::\S+)? (\.|PASSED)", "".join(screen.lines))


def piped(*arguments: str) -> str:
    command = [sys.executable, "-c", "from local_dream_conformance.cli import main; main()", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_a_pipe_has_one_line_for_each_scenario(slow_mock: str, tmp_path: Path) -> None:
    for options in ((), ("-v",), ("-q",), ("-s",)):
        lines = piped(slow_mock, "-k", "SRV-01 or GEN-EVT-05", *options).splitlines()
        told = [line for line in lines if "scenario" in line and not line.startswith("plan:")]
        assert [line.rpartition(",")[0] for line in told] == [
            "scenario 1 of 2: health, 10 requests",
            "scenario 2 of 2: base, 1 request",
        ]
        assert any("CONFORMANT" in line for line in lines)
        assert "\x1b" not in "".join(lines)
    spread = piped(slow_mock, "-k", "SRV-01 or GEN-EVT-05", "-n", "2")
    assert "CONFORMANT" in spread
    assert "\x1b" not in spread


def test_a_replay_has_nothing_to_wait_for(slow_mock: str, tmp_path: Path) -> None:
    assert "CONFORMANT" in piped(slow_mock, "-k", "GEN-EVT-05", "--record", str(tmp_path / "kept"))
    screen = terminal.run(100, "--replay", str(tmp_path / "kept"))
    assert not any(told(line) for line in screen.seen)
