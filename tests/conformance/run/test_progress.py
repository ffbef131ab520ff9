"""Progress: what is reckoned, and what a terminal shows of it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.run.eta import Eta
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
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
    assert (pace.left(), pace.words()) == (None, "scenario 1 of 4: quick")
    clock.now = 1
    pace.end()
    pace.begin(BASE)
    assert pace.words() == "scenario 2 of 4: base"
    clock.now = 6
    assert pace.on_data(1, progress(5, 10))
    assert pace.left() == 55  # a second for each of the 5 + 40 + 10 steps that are left
    assert pace.words() == "scenario 2 of 4: base, step 5 of 10, about 55 s of generating left"
    clock.now = 21
    pace.on_data(1, progress(10, 10))
    pace.end()  # 10 steps took 20 seconds
    pace.begin(BIG)
    assert pace.words() == "scenario 3 of 4: big, about 100 s of generating left"
    clock.now = 61
    pace.on_data(2, progress(12, 12) + progress(3, 9))
    pace.on_data(3, progress(12, 12))
    assert pace.words() == "scenario 3 of 4: big, step 12 of 12, about 38 s of generating left"
    pace.end()
    pace.begin(LAST)
    clock.now = 10_000
    pace.on_data(4, progress(1, 10))
    assert pace.words() == "scenario 4 of 4: last, step 1 of 10, about 29 min of generating left"


def test_what_is_no_progress_is_not_heard() -> None:
    pace = Eta((BASE,), SETTINGS)
    pace.begin(BASE)
    assert not pace.on_data(1, b'{"step": 1}')
    assert not pace.on_data(1, b"\xff\xd8")
    assert pace.left() is None
    pace.on_data(1, progress(5, 0))
    assert pace.left() is None


def on_a_terminal(*arguments: str) -> str:
    """What `local-dream check` writes on a terminal of 100 columns."""
    master, slave = pty.openpty()
    command = [sys.executable, "-c", "from local_dream_conformance.cli import main; main()", "check", *arguments]
    environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm"}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # how Linux says that the last writer is gone
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    process.wait()
    return shown.decode()


def test_a_terminal_shows_the_probe_and_its_step_and_a_file_does_not(tmp_path: Path) -> None:
    with serving(create_app(SyntheticEngine(Pacing(first=0.2, step=0.2)))) as url:
        shown = on_a_terminal(url, "-k", "GEN-EVT-05", "--record", str(tmp_path / "kept"))
        assert re.search(r"\x1b7  \[scenario 1 of 1: base\]\x1b\[K\x1b8", shown)
        assert re.search(r"\[scenario 1 of 1: base, step [1-4] of 4(, about [0-9]+ s of generating left)?\]", shown)
        assert "CONFORMANT" in shown
        command = [
            sys.executable,
            "-c",
            "from local_dream_conformance.cli import main; main()",
            "check",
            url,
            "-k",
            "HLT-01",
        ]
        quiet = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "CONFORMANT" in quiet.stdout
    assert "scenario 1 of" not in quiet.stdout + quiet.stderr
    assert "[probe" not in on_a_terminal("--replay", str(tmp_path / "kept"))
