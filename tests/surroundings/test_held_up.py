"""A machine that stands still now and then, as one that is shared or asleep does: nothing wrong is said of the server,
whichever of the two it holds up."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local_dream_conformance.run.server_process import command

RUNS, STANDS = 0.7, 1.5
"""Seconds that a process runs, on an average, and that it stands: as long as a generation of the mock takes."""

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be held here")


@pytest.mark.parametrize("held", ["suite", "server"])
def test_nothing_wrong_is_said(held: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    with subprocess.Popen(command("mock", "--pace-step", "0.05"), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            check = [sys.executable, "-m", "local_dream_conformance", "check", server.stdout.readline().split()[1]]
            with output.open("wb") as file, subprocess.Popen(check, stdout=file, stderr=file, cwd=tmp_path) as suite:
                stops = _hold(suite if held == "suite" else server, until=suite)
        finally:
            server.kill()
    printed = output.read_text("utf-8")
    assert suite.returncode == 0, printed
    assert "\nCONFORMANT: " in printed
    assert stops >= 5


def _hold(process: subprocess.Popen[bytes] | subprocess.Popen[str], until: subprocess.Popen[bytes]) -> int:
    """Stops a process again and again until another is over; how often."""
    chance, stops = random.Random(7), 0
    while True:
        time.sleep(RUNS * (0.5 + chance.random()))
        if until.poll() is not None:
            return stops
        process.send_signal(signal.SIGSTOP)
        time.sleep(STANDS)
        process.send_signal(signal.SIGCONT)
        stops += 1
