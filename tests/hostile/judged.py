"""A run of the suite in a process of its own, with what it took."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

QUICK = ("--upscaler-path", "default", "--idle-timeout", "10", "--total-timeout", "30", "--max-duration", "120")
"""So that silence costs the tests seconds; patience itself has its own tests. Less than ten seconds, and a machine that
is busy with something else is taken for a target that says nothing."""
MEASURED = """
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), used.ru_maxrss >> 10, used.ru_utime + used.ru_stime], file)
"""
"""Starts a command and says its status, memory and processor time. From a process of its own: a child begins with the
memory of its parent, and counts it."""
PATIENCE = 1200.0
"""Seconds until a run is killed; it counts as one without an end."""


@dataclass(frozen=True)
class Ran:
    """What came of a run: exit status, memory at its peak (MiB), processor and wall time (s), what it printed, the ids
    that it found broken, and the report; None where there is none."""

    code: int
    peak: int
    cpu: float
    wall: float
    printed: str
    broken: tuple[str, ...]
    report: dict[str, object] | None


def run(url: str, options: Sequence[str] = (), environment: dict[str, str] | None = None) -> Ran:
    """Judges a target, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        report, output, usage = (Path(folder, name) for name in ("report.json", "output", "usage.json"))
        command = [sys.executable, "-m", "local_dream_conformance", "check", url, *QUICK, *options]
        command += ["--json-report", str(report), "--html-report", f"{folder}/r.html", "--junitxml", f"{folder}/r.xml"]
        began = time.monotonic()
        with output.open("wb") as printed:
            child = subprocess.Popen(
                [sys.executable, "-c", MEASURED, str(usage), *command],
                cwd=folder,
                stdout=printed,
                stderr=printed,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            usage.write_text(json.dumps([-signal.SIGKILL, 0, 0]), encoding="utf-8")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        code, peak, cpu = json.loads(usage.read_text("utf-8"))
        made = json.loads(report.read_text("utf-8")) if report.exists() else None
        return Ran(
            code=code,
            peak=peak,
            cpu=cpu,
            wall=time.monotonic() - began,
            printed=output.read_text("utf-8", "replace"),
            broken=tuple(_broken(made)),
            report=made,
        )


def _broken(report: dict[str, object] | None) -> list[str]:
    found = report["requirements"] if report else []
    assert isinstance(found, list)
    return [one["id"] for one in found if one["verdict"] in ("fail", "warn", "error")]
