"""Processes are ended on systems with groups of them and on those without."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from local_dream_conformance.run import process_group

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('there', flush=True); time.sleep(99)"
)
MILD = "import time; print('there', flush=True); time.sleep(99)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}])"


def started(code: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    return process


@pytest.mark.parametrize("groups", [True, False])
@pytest.mark.parametrize(("code", "at_once"), [(MILD, False), (MILD, True), (STUBBORN, True)])
def test_it_ends(code: str, at_once: bool, groups: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with started(code) as process:
        if not groups:  # Windows
            monkeypatch.delattr(os, "killpg", raising=False)
        process_group.end(process, at_once=at_once)
        assert process.wait(timeout=60) != 0
        process_group.end(process, at_once=at_once)  # a second time is no error


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no groups of processes")
def test_what_it_started_ends_with_it() -> None:
    with started(PARENT) as process:
        process_group.end(process, at_once=True)
        assert process.stdout is not None
        assert process.stdout.read() == b""  # until its child is gone, too
