"""SIGTERM and SIGHUP in the middle of a run, whose process is a real one."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from local_dream_conformance.core.verdict import ENDED
from tests.conformance.judging import QUICK, ROOT
from tests.conformance.serving import serving

PATIENCE = 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_told_to_end_says_so_and_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    """The server stops the run as soon as it is asked for a generation, which it answers only when the run is over."""
    runs: queue.Queue[int] = queue.Queue()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"yes")

        def do_POST(self) -> None:
            os.kill(runs.get(timeout=PATIENCE), number)
            over.wait(PATIENCE)

        def log_message(self, format: str, *args: object) -> None:
            pass

    place = tmp_path / "temporary"
    place.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCAL_DREAM_")}
    environment |= {"TMPDIR": str(place), "PYTHONPATH": str(ROOT)}
    with serving(Handler) as url:
        words = [sys.executable, "-m", "pytest", *QUICK, "-p", "no:cacheprovider", "-p", "tests.conformance.tiny_suite"]
        words += ["--target", url, "--json-report", "r.json", "--markdown-report", "r.md"]
        run = subprocess.Popen(
            words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        runs.put(run.pid)
        try:
            shown, _ = run.communicate(timeout=PATIENCE)
        finally:
            over.set()
            run.kill()
    assert run.returncode == pytest.ExitCode.INTERRUPTED, shown
    assert f"stopped by {number.name}" in shown
    assert "INCONCLUSIVE" in shown
    assert ENDED in (tmp_path / "r.md").read_text("utf-8")
    result = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert result["outcome"] == "inconclusive"
    reasons = {one["id"]: one["reason"] for one in result["requirements"] if one["verdict"] == "untested"}
    assert reasons["TINY-GEN-01"] == ENDED
    assert [path for path in place.rglob("*") if path.name != "local-dream-" + str(os.getuid())] == []
